/** Connections that are read as requests, and copies for laptops. */
import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { type Conn, writeAll } from "../net/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { bytesOf, textOf, until } from "../tunnel/session_fake.ts";
import { openAgent, openApp } from "./agent_fake.ts";
import { FakeManager, rule } from "./manager_fake.ts";

const jane = {
  combine: "all",
  headers: [{ name: "x-user", kind: "exact", value: "jane" }],
} as const;

/** Answers each request by its name and the request's path, and notes what it hears. */
async function serveRequests(name: string, conn: Conn, heard: string[] = []) {
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const read = await conn.read(buffer).catch(() => null);
    if (read === null) break;
    text += textOf(buffer.subarray(0, read));
    for (let end; (end = text.indexOf("\r\n\r\n")) >= 0;) {
      const path = text.split(" ")[1]!;
      text = text.slice(end + 4);
      heard.push(path);
      const body = `${name} ${path}`;
      const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n`;
      await writeAll(conn, bytesOf(`${head}\r\n${body}`)).catch(() => {});
    }
  }
  if (text !== "") heard.push(text);
  conn.close();
}

function laptop(name: string, heard: string[] = []) {
  return (incoming: Incoming) =>
    void serveRequests(name, incoming.accept(), heard);
}

async function open() {
  const clock = new FakeClock();
  const app = openApp((conn) => serveRequests("app", conn));
  const manager = new FakeManager("m-0", { clock });
  const copies = new Map([["10.0.0.1", manager]]);
  const port = { port: app.port, protocol: "TCP" as const };
  const agent = openAgent(copies, { appPort: app.port, port, clock });
  await until(() => manager.answers.length === 1);
  return {
    ...{ clock, manager, agent, ports: [port] },
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

/** The answer to one request on a connection that stays open. */
async function ask(conn: Conn, path: string, user = ""): Promise<string> {
  const field = user === "" ? "" : `x-user: ${user}\r\n`;
  await writeAll(
    conn,
    bytesOf(`GET ${path} HTTP/1.1\r\nhost: web\r\n${field}\r\n`),
  );
  return await answer(conn);
}

async function answer(conn: Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const read = await conn.read(buffer);
    if (read === null) return text;
    text += textOf(buffer.subarray(0, read));
    const [head, body] = text.split("\r\n\r\n");
    const length = /content-length: (\d+)/i.exec(text)?.[1];
    if (body !== undefined && body.length === Number(length)) {
      const mark = /^x-tp-fallback: (.*)$/im.exec(head!)?.[1];
      return mark === undefined ? body : `${body} (${mark.trim()})`;
    }
  }
}

Deno.test("each request of a connection goes where the rules of the moment say", async () => {
  await using place = await open();
  const { ports, manager } = place;
  manager.onLaptop = (incoming, { intercept }) => laptop(intercept)(incoming);
  await place.tell(rule("jane", { ports, match: jane }));
  const client = await place.agent.connect();
  assert.equal(await ask(client, "/1"), "app /1");
  assert.equal(await ask(client, "/2", "jane"), "jane /2");
  assert.equal(await ask(client, "/3", "bob"), "app /3");
  await place.tell(
    rule("first", { ports, match: { combine: "all", methods: ["POST"] } }),
    rule("jane", { ports, match: jane }),
    rule("rest", { ports }),
  );
  assert.equal(await ask(client, "/4", "bob"), "rest /4");
  assert.equal(await ask(client, "/5", "jane"), "jane /5");
  await place.tell();
  assert.equal(await ask(client, "/6", "jane"), "app /6");
  client.close();
  assert.equal(place.agent.counters.numbers.http, 1);
});

Deno.test("a request that the laptop refuses is the app's, with a mark; nobody's, where that was replaced", async () => {
  await using place = await open();
  const { ports } = place;
  await place.tell(rule("jane", { ports, match: jane }));
  const client = await place.agent.connect();
  assert.equal(await ask(client, "/1", "jane"), "app /1 (jane)");
  assert.equal(await ask(client, "/2"), "app /2");
  assert.equal(place.agent.counters.numbers.fallbacks, 1);
  await place.tell(rule("jane", { ports, match: jane, mode: "replace" }));
  const other = await place.agent.connect();
  await writeAll(
    other,
    bytesOf("GET /3 HTTP/1.1\r\nhost: web\r\nx-user: jane\r\n\r\n"),
  );
  const buffer = new Uint8Array(1000);
  const read = await other.read(buffer);
  assert.match(textOf(buffer.subarray(0, read!)), /^HTTP\/1.1 502 /);
  client.close();
  other.close();
});

Deno.test("a request waits for a laptop that is away", async () => {
  await using place = await open();
  const { ports, manager, clock, agent } = place;
  manager.onLaptop = (incoming) => incoming.refuse("gone", "it is away");
  await place.tell(rule("jane", { ports, match: jane }));
  const client = await agent.connect();
  const asked = ask(client, "/1", "jane");
  await until(() => agent.counters.numbers.held === 1);
  manager.onLaptop = laptop("jane");
  clock.advance(100);
  assert.equal(await asked, "jane /1");
  client.close();
});

Deno.test("what is no HTTP goes to the app untouched, or to who has the rest", async () => {
  await using place = await open();
  const { ports, manager } = place;
  const heard: string[] = [];
  manager.onLaptop = laptop("laptop", heard);
  await place.tell(rule("jane", { ports, match: jane }), rule("b", { ports }));
  const client = await place.agent.connect();
  await writeAll(client, bytesOf("\x16\x03\x01 no HTTP"));
  await client.closeWrite();
  await until(() => heard.length === 1);
  assert.deepEqual(heard, ["\x16\x03\x01 no HTTP"]);
  client.close();
});

Deno.test("who wants a copy of all gets it of what is no HTTP, too, beside who asks for requests", async () => {
  await using place = await open();
  const { ports, manager } = place;
  const heard: string[] = [];
  manager.onLaptop = laptop("tap", heard);
  await place.tell(
    rule("jane", { ports, match: jane }),
    rule("tap", { ports, mode: "wiretap" }),
  );
  const client = await place.agent.connect();
  await writeAll(client, bytesOf("\x16\x03\x01 no HTTP"));
  await client.closeWrite();
  assert.equal(await answer(client), "");
  await until(() => heard.length === 1);
  assert.deepEqual(heard, ["\x16\x03\x01 no HTTP"]);
  client.close();
});

Deno.test("a rule that is not understood takes no request", async () => {
  await using place = await open();
  const { ports } = place;
  const path = { kind: "regex", value: "(" } as const;
  await place.tell(rule("broken", { ports, match: { combine: "all", path } }));
  const client = await place.agent.connect();
  assert.equal(await ask(client, "/1", "jane"), "app /1");
  client.close();
});

Deno.test("a wiretap gets a copy of what it means, and its answers are thrown away", async () => {
  await using place = await open();
  const { ports, manager } = place;
  const heard: string[] = [];
  manager.onLaptop = laptop("tap", heard);
  await place.tell(rule("tap", { ports, mode: "wiretap" }));
  const client = await place.agent.connect();
  assert.equal(await ask(client, "/1"), "app /1");
  await until(() => heard.length === 1);
  client.close();
  await place.tell(rule("tap", { ports, mode: "wiretap", match: jane }));
  const other = await place.agent.connect();
  assert.equal(await ask(other, "/2"), "app /2");
  assert.equal(await ask(other, "/3", "jane"), "app /3");
  await until(() => heard.length === 2);
  assert.deepEqual(heard, ["/1", "/3"]);
  other.close();
});

Deno.test("a laptop that refuses a copy takes nothing from the client", async () => {
  await using place = await open();
  const { ports, agent } = place;
  await place.tell(rule("tap", { ports, mode: "wiretap" }));
  const client = await agent.connect();
  assert.equal(await ask(client, "/1"), "app /1");
  await until(() => agent.counters.numbers.tapsLost === 1);
  assert.equal(await ask(client, "/2"), "app /2");
  client.close();
});
