import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { type Conn, writeAll } from "../net/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { bytesOf, readAll, textOf, until } from "../tunnel/session_fake.ts";
import { openAgent, openApp } from "./agent_fake.ts";
import { FakeManager, rule } from "./manager_fake.ts";

/** Says who it is, then what it hears, until the client ends. */
async function answerAs(name: string, conn: Conn): Promise<void> {
  await writeAll(conn, bytesOf(`${name}:`));
  const buffer = new Uint8Array(1024);
  for (;;) {
    const read = await conn.read(buffer).catch(() => null);
    if (read === null) break;
    await writeAll(conn, buffer.subarray(0, read));
  }
  await conn.closeWrite().catch(() => {});
  conn.close();
}

function laptop(incoming: Incoming): void {
  void answerAs("laptop", incoming.accept());
}

/** What comes back for `text`, to the end. */
async function ask(conn: Conn, text: string): Promise<string> {
  await writeAll(conn, bytesOf(text));
  await conn.closeWrite();
  const answer = textOf(await readAll(conn));
  conn.close();
  return answer;
}

async function isReset(conn: Conn): Promise<boolean> {
  return await conn.read(new Uint8Array(1)).then(() => false, () => true)
    .finally(() => conn.close());
}

async function open({ clock = new FakeClock(), maxConns = 100 } = {}) {
  const app = openApp((conn) => answerAs("app", conn));
  const manager = new FakeManager("m-0", { clock });
  const copies = new Map([["10.0.0.1", manager]]);
  const port = { port: app.port, protocol: "TCP" as const };
  const agent = openAgent(copies, { appPort: app.port, port, clock, maxConns });
  await until(() => manager.answers.length === 1);
  return {
    ...{ clock, app, manager, copies, agent, ports: [port] },
    /** Has the agent follow these rules. */
    async tell(...rules: Parameters<FakeManager["tell"]>) {
      const { length } = manager.answers;
      manager.tell(...rules);
      await until(() => manager.answers.length > length);
    },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
      await app.stop();
    },
  };
}

Deno.test("without a rule the app has it, though it speaks first, and half-close travels", async () => {
  await using place = await open();
  const client = await place.agent.connect();
  const hello = new Uint8Array(4);
  await client.read(hello);
  assert.equal(textOf(hello), "app:");
  assert.equal(await ask(client, "hi"), "hi");
  assert.equal(place.agent.counters.numbers.app, 1);
});

Deno.test("an app that does not listen resets its client, and one that resets does", async () => {
  await using place = await open();
  await place.app.stop();
  assert.ok(await isReset(await place.agent.connect()));

  const resetting = openApp(async (conn) => {
    await conn.read(new Uint8Array(2));
    conn.reset();
  });
  await using agent = openAgent(place.copies, {
    appPort: resetting.port,
    port: { port: 1, protocol: "TCP" },
  });
  const client = await agent.connect();
  await writeAll(client, bytesOf("hi"));
  assert.ok(await isReset(client));
  await resetting.stop();
});

Deno.test("a rule takes new connections to the laptop, and those that stand stay", async () => {
  await using place = await open();
  const { ports, manager } = place;
  manager.onLaptop = (incoming, target) => {
    assert.deepEqual(target, {
      ...{ kind: "laptop", intercept: "a", port: ports[0] },
    });
    laptop(incoming);
  };
  const before = await place.agent.connect();
  await before.read(new Uint8Array(4));
  await place.tell(rule("a", { ports }));
  const during = await place.agent.connect();
  await during.read(new Uint8Array(7));
  assert.equal(await ask(before, "1"), "1");
  await place.tell();
  assert.equal(await ask(await place.agent.connect(), "2"), "app:2");
  assert.equal(await ask(during, "3"), "3");
  assert.equal(place.agent.counters.numbers.laptop, 1);
});

Deno.test("a reset travels from the laptop, and to it", async () => {
  await using place = await open();
  const { ports, manager } = place;
  await place.tell(rule("a", { ports }));
  manager.onLaptop = (incoming) => {
    const conn = incoming.accept();
    void conn.read(new Uint8Array(2)).then(() => conn.reset());
  };
  const client = await place.agent.connect();
  await writeAll(client, bytesOf("hi"));
  assert.ok(await isReset(client));

  const broken = Promise.withResolvers<boolean>();
  manager.onLaptop = (incoming) => {
    const conn = incoming.accept();
    void conn.read(new Uint8Array(2)).then(() => broken.resolve(isReset(conn)));
  };
  const other = await place.agent.connect();
  await writeAll(other, bytesOf("hi"));
  await until(() => place.agent.counters.numbers.laptop === 2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  other.reset();
  assert.ok(await broken.promise);
});

Deno.test("what the laptop refuses is the app's at once, unless the app was replaced", async () => {
  await using place = await open();
  const { ports } = place;
  await place.tell(rule("a", { ports }));
  assert.equal(await ask(await place.agent.connect(), "1"), "app:1");
  assert.equal(place.agent.counters.numbers.fallbacks, 1);
  assert.equal(place.agent.counters.numbers.held, 0);
  await place.tell(rule("a", { ports, mode: "replace" }));
  assert.ok(await isReset(await place.agent.connect()));
});

Deno.test("a laptop that is away is waited for", async () => {
  await using place = await open();
  const { ports, manager, clock, agent } = place;
  manager.onLaptop = (incoming) => incoming.refuse("gone", "it is away");
  await place.tell(rule("a", { ports }));
  const asked = ask(await agent.connect(), "1");
  await until(() => agent.counters.numbers.held === 1);
  manager.onLaptop = laptop;
  clock.advance(100);
  assert.equal(await asked, "laptop:1");
});

Deno.test("after twenty seconds the app has what waited for the laptop", async () => {
  await using place = await open();
  const { ports, manager, clock, agent } = place;
  manager.onLaptop = (incoming) => incoming.refuse("gone", "it is away");
  await place.tell(rule("a", { ports }));
  let answer: string | undefined;
  const startMs = clock.now();
  void ask(await agent.connect(), "1").then((text) => answer = text);
  await until(() => agent.counters.numbers.held === 1);
  await until(() => {
    if (answer === undefined) clock.advance(50);
    return answer !== undefined;
  });
  const ms = clock.now() - startMs;
  // deno-lint-ignore no-console
  console.log(`held for ${ms} ms`);
  assert.equal(answer, "app:1");
  assert.ok(ms >= 20_000 && ms < 21_000);
  assert.equal(agent.counters.numbers.fallbacks, 1);
});

Deno.test("a laptop that says nothing is given up after twenty seconds", async () => {
  await using place = await open();
  const { ports, manager, clock, agent } = place;
  let asked: Incoming | undefined;
  manager.onLaptop = (incoming) => asked = incoming;
  await place.tell(rule("a", { ports }));
  const answer = ask(await agent.connect(), "1");
  await until(() => asked !== undefined);
  for (let ms = 0; ms < 20_000; ms += 200) {
    clock.advance(200);
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.equal(await answer, "app:1");
  assert.ok(asked!.signal.aborted);
});

Deno.test("who waits for a laptop is the app's once the rule is withdrawn, without a mark", async () => {
  await using place = await open();
  const { ports, manager, agent } = place;
  manager.onLaptop = (incoming) => incoming.refuse("gone", "it is away");
  await place.tell(rule("a", { ports }));
  const asked = ask(await agent.connect(), "1");
  await until(() => agent.counters.numbers.held === 1);
  await place.tell();
  assert.equal(await asked, "app:1");
  assert.equal(agent.counters.numbers.fallbacks, 0);
});

Deno.test("who waits follows the laptop to another copy of the manager", async () => {
  await using place = await open();
  const { ports, manager, clock, agent, copies } = place;
  await using other = new FakeManager("m-1", { clock });
  other.onLaptop = laptop;
  await place.tell(rule("a", { ports }));
  let isAsked = false;
  // It does not know that the laptop has left.
  manager.onLaptop = () => isAsked = true;
  const asked = ask(await agent.connect(), "1");
  await until(() => isAsked);
  copies.set("10.0.0.2", other);
  // The copies are looked for, as one is named that is not known.
  other.tell(rule("a", { ports, manager: "m-1" }));
  await place.tell(rule("a", { ports, manager: "m-1" }));
  assert.equal(await asked, "laptop:1");
});

Deno.test("while the manager is away connections wait for it", async () => {
  await using place = await open();
  const { ports, manager, clock, agent } = place;
  manager.onLaptop = laptop;
  await place.tell(rule("a", { ports }));
  manager.cut();
  await until(() => agent.managers.sessionOf("m-0") === undefined);
  const asked = ask(await agent.connect(), "1");
  await until(() => agent.counters.numbers.held === 1);
  manager.isUnreachable = false;
  let answer: string | undefined;
  void asked.then((text) => answer = text);
  await until(() => {
    if (answer === undefined) clock.advance(20);
    return answer !== undefined;
  });
  assert.equal(answer, "laptop:1");
});

Deno.test("connections above the bound are reset", async () => {
  await using place = await open({ maxConns: 1 });
  const first = await place.agent.connect();
  await first.read(new Uint8Array(4));
  assert.ok(await isReset(await place.agent.connect()));
  assert.equal(await ask(first, "1"), "1");
});

Deno.test("a client that leaves while it waits for the laptop frees its place", async () => {
  await using place = await open();
  const { ports, manager, agent, clock } = place;
  manager.onLaptop = (incoming) => incoming.refuse("gone", "it is away");
  const match = { combine: "all", methods: ["GET"] } as const;
  let held = 0;
  for (const wanted of [rule("a", { ports }), rule("b", { ports, match })]) {
    await place.tell(wanted);
    for (const leave of ["reset", "close"] as const) {
      const client = await agent.connect();
      await writeAll(client, bytesOf("GET / HTTP/1.1\r\nhost: web\r\n\r\n"));
      held++;
      await until(() => agent.counters.numbers.held === held);
      assert.equal(agent.slots.taken, 1);
      client[leave]();
      const startMs = clock.now();
      await until(() => {
        if (agent.slots.taken > 0) clock.advance(10);
        return agent.slots.taken === 0;
      });
      const ms = clock.now() - startMs;
      // deno-lint-ignore no-console
      console.log(`${wanted.id}, ${leave}: ${ms} ms`);
      assert.ok(ms < 3_500);
    }
  }
  assert.equal(agent.counters.numbers.app, 0);
});

Deno.test("who speaks no HTTP and breaks off while it waits for the laptop frees its place, beside rules for requests", async () => {
  await using place = await open();
  const { ports, manager, agent } = place;
  manager.onLaptop = (incoming) => incoming.refuse("gone", "it is away");
  const match = { combine: "all", methods: ["GET"] } as const;
  await place.tell(rule("a", { ports, match }), rule("b", { ports }));
  const client = await agent.connect();
  await writeAll(client, bytesOf("\0"));
  await until(() => agent.counters.numbers.held === 1);
  client.reset();
  await until(() => agent.slots.taken === 0);
  assert.equal(agent.counters.numbers.app, 0);
});
