import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { type FakeAnswer, FakeApiServer } from "./_api_server_fake.ts";
import { DenoConn } from "./_deno_conn.ts";
import { HttpPool, type PoolRequest } from "./_http_pool.ts";

function open(answer: FakeAnswer = { body: "hello" }) {
  const server = FakeApiServer.start(() => answer, { name: "" });
  const clock = new FakeClock();
  const pool = new HttpPool({
    clock,
    dial: async () =>
      new DenoConn(
        await Deno.connect({ hostname: "127.0.0.1", port: server.port }),
      ),
  });
  return { server, clock, pool };
}

function request(parts: Partial<PoolRequest> = {}): PoolRequest {
  return {
    method: "GET",
    target: "/",
    headers: [["Host", "h"]],
    repeatable: true,
    signal: new AbortController().signal,
    ...parts,
  };
}

async function ask(pool: HttpPool, parts?: Partial<PoolRequest>) {
  const response = await pool.exchange(request(parts));
  while (await response.body.read() !== null);
  return response;
}

Deno.test("HttpPool keeps a connection whose answer was read, also when it is discarded after that", async () => {
  const { server: started, pool: opened } = open();
  await using server = started;
  using pool = opened;
  for (let i = 0; i < 3; i++) {
    const response = await ask(pool, { method: "POST", repeatable: false });
    response.discard();
  }
  assert.equal(server.connections, 1);
});

Deno.test("HttpPool closes a connection that is discarded amid an answer", async () => {
  const { server: started, pool: opened } = open();
  await using server = started;
  using pool = opened;
  const response = await pool.exchange(request());
  response.discard();
  await ask(pool);
  assert.equal(server.connections, 2);
});

Deno.test("HttpPool uses no connection that rested too long, or showed another certificate", async () => {
  const { server: started, pool: opened, clock } = open();
  await using server = started;
  using pool = opened;
  await ask(pool);
  clock.advance(29_000);
  await ask(pool);
  assert.equal(server.connections, 1);
  clock.advance(31_000);
  await ask(pool);
  assert.equal(server.connections, 2);
  await ask(pool, { certificate: { cert: "c", key: "k" } });
  assert.equal(server.connections, 3);
});

Deno.test("HttpPool keeps no connection that the server will close", async () => {
  const headers = { connection: "close" };
  const { server: started, pool: opened } = open({ headers, body: "x" });
  await using server = started;
  using pool = opened;
  await ask(pool);
  await ask(pool);
  assert.equal(server.connections, 2);
});

Deno.test("HttpPool repeats only what may be sent twice when a kept connection is dead", async () => {
  const { server: started, pool: opened } = open();
  await using server = started;
  using pool = opened;
  await ask(pool);
  server.cut();
  await assert.rejects(ask(pool, { method: "POST", repeatable: false }), {
    name: "UnansweredError",
  });
  await ask(pool);
  server.cut();
  await ask(pool);
  assert.equal(server.asked.length, 3);
});

Deno.test("HttpPool rejects with the signal's reason while an answer is read", async () => {
  const until = Promise.withResolvers<void>();
  const pieces = async function* () {
    yield "some";
    await until.promise;
  }();
  const { server: started, pool: opened } = open({ pieces });
  await using _server = started;
  using pool = opened;
  const abort = new AbortController();
  const { body } = await pool.exchange(request({ signal: abort.signal }));
  assert.deepEqual(await body.read(), new TextEncoder().encode("some"));
  const reading = body.read();
  abort.abort(new Error("enough"));
  await assert.rejects(reading, { message: "enough" });
  until.resolve();
});
