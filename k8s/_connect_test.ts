import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { connectSoon } from "./_connect.ts";

/** Something that was opened. */
class Opened {
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }
}

/** An address where somebody listens, and what it is asked for there. */
function setUp() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const attempts: PromiseWithResolvers<Opened>[] = [];
  const abort = new AbortController();
  const clock = new FakeClock();
  const open = () => {
    const attempt = Promise.withResolvers<Opened>();
    attempts.push(attempt);
    return attempt.promise;
  };
  const connecting = (to = port) =>
    connectSoon(open, { hostname, port: to, clock, signal: abort.signal });
  return {
    ...{ listener, attempts, abort, clock, connecting },
    [Symbol.dispose]: () => listener.close(),
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("connectSoon() gives what comes about at once, and knocks nowhere", async () => {
  using world = setUp();
  const connecting = world.connecting();
  const opened = new Opened();
  world.attempts[0]!.resolve(opened);
  assert.equal(await connecting, opened);
  world.clock.advance(10_000);
  await turn();
  assert.equal(world.attempts.length, 1);
  assert.equal(opened.isClosed, false);
});

Deno.test("connectSoon() opens again when a knock is answered, and closes what comes too late", async () => {
  using world = setUp();
  const connecting = world.connecting();
  world.clock.advance(2_000);
  (await world.listener.accept()).close();
  while (world.attempts.length < 2) await turn();
  const opened = new Opened();
  world.attempts[1]!.resolve(opened);
  assert.equal(await connecting, opened);
  const late = new Opened();
  world.attempts[0]!.resolve(late);
  await turn();
  assert.equal(late.isClosed, true);
  assert.equal(opened.isClosed, false);
});

Deno.test("connectSoon() takes the first attempt where the way is only slow", async () => {
  using world = setUp();
  const connecting = world.connecting();
  world.clock.advance(2_000);
  const opened = new Opened();
  world.attempts[0]!.resolve(opened);
  assert.equal(await connecting, opened);
});

Deno.test("connectSoon() rejects with what the address answers to a knock", async () => {
  using world = setUp();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  const connecting = world.connecting(port);
  const rejected = assert.rejects(connecting, Deno.errors.ConnectionRefused);
  world.clock.advance(2_000);
  await rejected;
});

Deno.test("connectSoon() gives up when called off", async () => {
  using world = setUp();
  const connecting = world.connecting();
  const reason = new Error("called off");
  world.abort.abort(reason);
  await assert.rejects(connecting, reason);
  const late = new Opened();
  world.attempts[0]!.resolve(late);
  await turn();
  assert.equal(late.isClosed, true);
});
