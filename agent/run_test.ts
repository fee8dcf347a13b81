import assert from "node:assert/strict";
import type { AgentConfig } from "../manager/api.ts";
import { makeCertificate } from "../manager/certificate.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip, writeAll } from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";
import { bytesOf, readAll, textOf, until } from "../tunnel/session_fake.ts";
import { loopback, openApp } from "./agent_fake.ts";
import { FakeManager, rule } from "./manager_fake.ts";
import { runAgent } from "./run.ts";

function freePort(): number {
  using listener = Deno.listen({ hostname: loopback, port: 0 });
  return listener.addr.port;
}

async function certificate(name: string) {
  const now = Date.now();
  return await makeCertificate({
    name,
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 60_000),
  });
}

/** A manager behind TLS on this machine. */
function listenTls(
  manager: FakeManager,
  { cert, key }: { cert: string; key: string },
  port = 0,
) {
  const listener = Deno.listenTls({ hostname: loopback, port, cert, key });
  let taken = 0;
  let isClosed = false;
  const accepting = (async () => {
    for (;;) {
      const conn = await listener.accept().catch(() => undefined);
      if (conn === undefined) return;
      const carrier = new TcpConn(conn);
      await conn.handshake().then(
        () => (taken++, manager.take(carrier)),
        () => carrier.reset(),
      );
    }
  })();
  return {
    port: listener.addr.port,
    /** Carriers of who took its certificate. */
    taken: () => taken,
    async [Symbol.asyncDispose]() {
      if (!isClosed) listener.close();
      isClosed = true;
      await accepting;
    },
  };
}

async function open({ name = "manager.tp.invalid" } = {}) {
  const clock = new FakeClock();
  const app = openApp(async (conn) => {
    await writeAll(conn, bytesOf("app"));
    await readAll(conn).catch(() => {});
    conn.close();
  });
  const trust = await Deno.makeTempDir();
  const pair = await certificate(name);
  await Deno.writeTextFile(`${trust}/ca.pem`, pair.cert);
  await Deno.writeTextFile(`${trust}/token`, "the token\n");
  const manager = new FakeManager("m-0", { clock });
  const server = listenTls(manager, pair);
  const agentPort = freePort();
  const config: AgentConfig = {
    namespace: "shop",
    workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    manager: "agents.example.svc",
    anyManager: "any.example.svc",
    ports: [{ port: app.port, protocol: "TCP", agentPort, redirect: false }],
    containers: [],
  };
  const leave = new AbortController();
  const asked: string[] = [];
  let isOver = false;
  const running = runAgent({
    settings: { ...config, pod: "web-1", ownAddresses: [Ip.parse(loopback)] },
    ...{ clock, signal: leave.signal, managerPort: server.port },
    paths: { trust, containers: trust },
    resolve: (name) => {
      asked.push(name);
      return Promise.resolve([loopback]);
    },
  }).finally(() => isOver = true);
  return {
    ...{ clock, app, manager, leave, running, asked, trust, server },
    ports: config.ports.map(({ port, protocol }) => ({ port, protocol })),
    isOver: () => isOver,
    connect: async () =>
      new TcpConn(
        await Deno.connect({ hostname: loopback, port: agentPort }),
      ),
    /** Moves time until the agent has left, or by so much: what is left to do then takes no time but the machine's. */
    async untilOver({ atMostMs = Infinity } = {}) {
      const startMs = clock.now();
      await until(() => {
        const isDue = clock.now() - startMs < atMostMs;
        if (!isOver && isDue) clock.advance(100);
        return isOver;
      });
      await running;
      return clock.now() - startMs;
    },
    async [Symbol.asyncDispose]() {
      leave.abort();
      await this.untilOver();
      await manager[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await app.stop();
      await Deno.remove(trust, { recursive: true });
    },
  };
}

async function firstWord(conn: TcpConn): Promise<string> {
  const buffer = new Uint8Array(10);
  const read = await conn.read(buffer);
  return textOf(buffer.subarray(0, read!));
}

Deno.test("the agent proves its pod to a manager that proves itself, and follows it", async () => {
  await using place = await open();
  const { manager, ports } = place;
  await until(() => manager.answers.length === 1);
  assert.deepEqual(manager.tokens, ["the token"]);
  assert.equal(place.asked[0], "agents.example.svc");
  manager.onLaptop = (incoming) => {
    const conn = incoming.accept();
    void writeAll(conn, bytesOf("laptop")).then(() => conn.close());
  };
  manager.tell(rule("a", { ports }));
  await until(() => manager.answers.length === 2);
  const client = await place.connect();
  assert.equal(await firstWord(client), "laptop");
  client.close();
});

Deno.test("the agent takes whom a manager that it trusts has told it to trust, and nobody else", async () => {
  await using place = await open();
  const { manager, server: first, clock } = place;
  const { port } = first;
  await until(() => manager.answers.length === 1);
  const [second, third, stranger] = await Promise.all(
    [1, 2, 3].map(() => certificate("manager.tp.invalid")),
  );
  manager.authorities = second!.cert + third!.cert;
  manager.tell();
  await until(() => manager.answers.length === 2);
  const comes = async (who: { cert: string; key: string }) => {
    await using server = listenTls(manager, who, port);
    manager.cut();
    for (let i = 0; i < 100 && server.taken() === 0; i++) {
      clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return server.taken() > 0;
  };
  await first[Symbol.asyncDispose]();
  assert.equal(await comes(third!), true);
  assert.equal(await comes(stranger!), false);
  assert.equal(await comes(second!), true);
});

Deno.test("the agent takes no manager of another name", async () => {
  await using place = await open({ name: "other.tp.invalid" });
  await until(() => place.asked.length > 0);
  const client = await place.connect();
  await until(() => {
    place.clock.advance(100);
    return place.asked.length > 3;
  });
  assert.equal(await firstWord(client), "app");
  client.close();
  assert.deepEqual(place.manager.tokens, []);
});

Deno.test("told to leave, the agent serves on until it was quiet for two seconds", async () => {
  await using place = await open();
  await until(() => place.manager.answers.length === 1);
  const before = await place.connect();
  assert.equal(await firstWord(before), "app");
  place.leave.abort();
  for (let ms = 0; ms < 10_000; ms += 100) {
    place.clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.ok(!place.isOver());
  const during = await place.connect();
  assert.equal(await firstWord(during), "app");
  for (const client of [before, during]) {
    await client.closeWrite();
    await readAll(client);
    client.close();
  }
  const ms = await place.untilOver();
  // deno-lint-ignore no-console
  console.log(`left ${ms} ms after the last connection`);
  assert.ok(ms >= 1_900 && ms <= 2_600);
  await assert.rejects(place.connect(), Deno.errors.ConnectionRefused);
});

Deno.test("a connection that does not end holds the agent for 25 seconds", async () => {
  await using place = await open();
  await until(() => place.manager.answers.length === 1);
  const client = await place.connect();
  assert.equal(await firstWord(client), "app");
  place.leave.abort();
  try {
    const ms = await place.untilOver({ atMostMs: 25_500 });
    // deno-lint-ignore no-console
    console.log(`left after ${ms} ms`);
    assert.ok(ms >= 25_000);
  } finally {
    client.close();
  }
});
