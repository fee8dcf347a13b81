/** The dialer has the carriers it needs, and the session its grace. */
import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { type Conn, ConnResetError, writeAll } from "../net/mod.ts";
import { FakeCarrier, type Fleet, openFleet } from "./carriers_fake.ts";
import type { Incoming } from "./mod.ts";
import { bytesOf, echo, pattern, until } from "./session_fake.ts";

const minuteMs = 60_000;

/** Lets what is under way arrive. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Moves time in small steps, with turns of the event loop between. */
async function pass(
  clock: FakeClock,
  ms: number,
  stepMs = 250,
): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await turn();
  }
}

/** Moves time until something is so: what is decided at ticks is not decided while time stands. */
async function passUntil(
  clock: FakeClock,
  isTrue: () => boolean,
): Promise<void> {
  const giveUp = clock.now() + 10 * minuteMs;
  while (!isTrue()) {
    assert.ok(clock.now() < giveUp, "It never came true");
    await pass(clock, 100, 50);
  }
}

const keep = (incoming: Incoming) => void incoming.accept();

Deno.test("a session without a carrier lives for its grace, and its streams with it", async () => {
  const clock = new FakeClock();
  const troubles: (string | undefined)[] = [];
  let isReachable = true;
  await using fleet = await openFleet({
    clock,
    serve: echo,
    limits: { graceMs: 15 * minuteMs },
    carrier() {
      if (!isReachable) throw new ConnResetError("no way");
      return new FakeCarrier();
    },
    dialOptions: { onTrouble: (one) => void troubles.push(one?.message) },
  });
  const conn = await fleet.dialer.open(bytesOf("x"));
  isReachable = false;
  fleet.carriers[0]!.reset();
  await until(() => fleet.dialer.stats().state === "waiting");
  const late = fleet.dialer.open(bytesOf("late"));
  await writeAll(conn, bytesOf("hello"));
  for (let i = 0; i < 14; i++) {
    clock.advance(minuteMs);
    await turn();
  }
  assert.equal(troubles.at(-1), "no way");
  isReachable = true;
  fleet.dialer.wake();
  await until(() => fleet.dialer.stats().state === "connected");
  const buffer = new Uint8Array(10);
  assert.equal(await conn.read(buffer), 5);
  assert.equal(troubles.at(-1), undefined);
  (await late).reset();
});

Deno.test("after its grace a session ends at both ends, and breaks its streams off", async () => {
  const clock = new FakeClock();
  let isReachable = true;
  await using fleet = await openFleet({
    clock,
    serve: keep,
    limits: { graceMs: minuteMs },
    carrier() {
      if (!isReachable) throw new ConnResetError("no way");
      return new FakeCarrier();
    },
  });
  const conn = await fleet.dialer.open(bytesOf("x"));
  const reading = assert.rejects(conn.read(new Uint8Array(1)), ConnResetError);
  isReachable = false;
  fleet.carriers[0]!.reset();
  await until(() => fleet.dialer.stats().state === "waiting");
  await until(() => fleet.acceptor.stats().state === "waiting");
  clock.advance(minuteMs);
  await reading;
  assert.equal((await fleet.dialer.ended).reason, "grace-over");
  assert.equal((await fleet.acceptor.ended).reason, "grace-over");
  assert.equal(fleet.hub.sessions.size, 0);
});

Deno.test("a session that the acceptor has forgotten ends as unknown-session", async () => {
  const clock = new FakeClock();
  await using fleet = await openFleet({ clock, serve: keep });
  // The acceptor's goodbye is lost.
  fleet.carriers[0]!.isBlackHole = true;
  fleet.acceptor.close();
  await turn();
  clock.advance(1000);
  await fleet.acceptor.ended;
  fleet.carriers[0]!.reset();
  assert.equal((await fleet.dialer.ended).reason, "unknown-session");
  await assert.rejects(fleet.dialer.open(bytesOf("x")), { refusal: "gone" });
});

async function blackHole(fleet: Fleet, clock: FakeClock): Promise<number> {
  const conn = await fleet.dialer.open(bytesOf("x"));
  await pass(clock, 3000);
  fleet.carriers[0]!.isBlackHole = true;
  await writeAll(conn, bytesOf("hello"));
  const startMs = clock.now();
  const reading = conn.read(new Uint8Array(5));
  while (fleet.carriers.length === 1) await pass(clock, 250);
  const foundMs = clock.now() - startMs;
  assert.equal(await reading, 5);
  return foundMs;
}

Deno.test("a black hole is found within 2 s while somebody waits, and its streams move", async () => {
  const clock = new FakeClock();
  await using fleet = await openFleet({ clock, serve: echo });
  const ms = await blackHole(fleet, clock);
  assert.ok(ms <= 2250, `it took ${ms} ms`);
  assert.equal(fleet.dialer.stats().carriers.length, 1);
});

Deno.test("wake() finds within a second or two that a carrier is gone", async () => {
  const clock = new FakeClock();
  await using fleet = await openFleet({ clock, serve: echo });
  await pass(clock, 20_000);
  fleet.carriers[0]!.isBlackHole = true;
  fleet.dialer.wake();
  await pass(clock, 1500);
  await until(() => fleet.dialer.stats().moves === 1);
});

Deno.test("an old carrier is replaced before it goes, and no stream notices", async () => {
  const clock = new FakeClock();
  await using fleet = await openFleet({ clock, serve: echo });
  const conn = await fleet.dialer.open(bytesOf("x"));
  while (fleet.carriers.length === 1) {
    await pass(clock, 1000, 1000);
  }
  const ageMs = clock.now();
  assert.ok(ageMs >= 35 * minuteMs && ageMs <= 44.2 * minuteMs, `${ageMs}`);
  await until(() => fleet.dialer.stats().moves === 1);
  const { carriers } = fleet.dialer.stats();
  assert.deepEqual(carriers.map((one) => one.number), [2]);
  await writeAll(conn, bytesOf("hello"));
  assert.equal(await conn.read(new Uint8Array(10)), 5);
});

/** Sends bulk on `conn`, to which it comes back, until {@link Disposable}. */
function keepBusy(conn: Conn) {
  let isOver = false;
  let [sent, received] = [0, 0];
  const write = async () => {
    const bytes = pattern(50_000);
    while (!isOver) {
      await writeAll(conn, bytes);
      sent += bytes.length;
      await turn();
    }
    await conn.closeWrite();
  };
  const read = async () => {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      received += count;
    }
    assert.equal(received, sent);
  };
  const both = Promise.all([write(), read()]);
  // A test that fails tells its own failure.
  both.catch(() => {});
  return { stop: () => (isOver = true, both) };
}

Deno.test("bulk gets a carrier of its own, which is given up later; small flows stay and do without it", async () => {
  const clock = new FakeClock();
  await using fleet = await openFleet({ clock, serve: echo });
  const small = await fleet.dialer.open(bytesOf("small"));
  const bulk = keepBusy(await fleet.dialer.open(bytesOf("bulk")));
  while (fleet.dialer.stats().movedStreams === 0) await pass(clock, 100, 50);
  assert.equal(fleet.carriers.length, 2);
  const [first, second] = fleet.carriers;
  await until(() => second!.carried > 1_000_000);
  // The bulk that the first has carried counts for half a second.
  await pass(clock, 1000, 50);
  const before = first!.carried;
  const later = await fleet.dialer.open(bytesOf("later"));
  for (const conn of [small, later]) {
    await writeAll(conn, bytesOf("hello"));
    assert.equal(await conn.read(new Uint8Array(10)), 5);
  }
  await pass(clock, 3000);
  assert.ok(first!.carried - before < 10_000, `${first!.carried - before}`);
  assert.equal(fleet.dialer.stats().movedStreams, 1);
  assert.equal(fleet.dialer.stats().moves, 0);
  await bulk.stop();
  await pass(clock, 5 * minuteMs, 1000);
  assert.equal(fleet.dialer.stats().carriers.length, 1);
});

Deno.test("each bulk stream gets a carrier, up to four in all; of either end, and in either direction", async () => {
  const clock = new FakeClock();
  await using fleet = await openFleet({
    clock,
    serve: echo,
    serveDialer: echo,
  });
  const bulk = [
    keepBusy(await fleet.dialer.open(bytesOf("a"))),
    keepBusy(await fleet.acceptor.open(bytesOf("b"))),
    keepBusy(await fleet.acceptor.open(bytesOf("c"))),
  ];
  await passUntil(clock, () => fleet.dialer.stats().movedStreams >= 2);
  await passUntil(clock, () => fleet.carriers.length === 4);
  // The last one is on its way to the carrier that has come for it.
  await pass(clock, 1000, 50);
  const before = fleet.carriers.map((one) => one.carried);
  const busy = () =>
    fleet.carriers.filter((one, i) => one.carried - before[i]! > 500_000);
  await passUntil(clock, () => busy().length >= 3);
  await pass(clock, 2000);
  assert.equal(busy().length, 3);
  await Promise.all(bulk.map((one) => one.stop()));
});

Deno.test("on a short way all bulk shares one carrier, apart from small flows", async () => {
  const clock = new FakeClock();
  await using fleet = await openFleet({
    clock,
    serve: echo,
    limits: { longWayMs: 5 },
  });
  await fleet.dialer.open(bytesOf("small"));
  const conns = await Promise.all(
    ["a", "b", "c"].map((one) => fleet.dialer.open(bytesOf(one))),
  );
  const bulk = conns.map(keepBusy);
  await passUntil(clock, () => fleet.dialer.stats().movedStreams >= 3);
  await pass(clock, 2000);
  assert.equal(fleet.carriers.length, 2);
  const before = fleet.carriers[0]!.carried;
  await pass(clock, 1000);
  assert.ok(fleet.carriers[0]!.carried - before < 10_000);
  await Promise.all(bulk.map((one) => one.stop()));
});

Deno.test("carriers that are lost before their JOIN has come are not dialled in a hurry", async () => {
  const clock = new FakeClock();
  // WELCOME goes through, JOIN does not.
  const fate = { kind: "reset" as const, afterBytes: 80 };
  let isBad = false;
  await using fleet = await openFleet({
    clock,
    serve: keep,
    carrier: () => isBad ? new FakeCarrier({ fate }) : new FakeCarrier(),
  });
  await pass(clock, 1000);
  isBad = true;
  fleet.carriers[0]!.reset();
  await until(() => fleet.carriers.length === 2);
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(fleet.carriers.length, 2);
  await pass(clock, 60_000);
  assert.ok(fleet.carriers.length < 60, `${fleet.carriers.length} dials`);
  isBad = false;
  fleet.dialer.wake();
  await until(() => fleet.dialer.stats().moves > 0);
});
