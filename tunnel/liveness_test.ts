import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { connPair } from "../net/conn_fake.ts";
import { Liveness } from "./liveness.ts";
import { bytesOf, openPair, until } from "./session_fake.ts";

function start({ unansweredPings = 3 } = {}) {
  const clock = new FakeClock();
  const pings: { atMs: number }[] = [];
  const suspicions: number[] = [];
  const ends: number[] = [];
  const liveness = new Liveness({
    ...{ clock, unansweredPings },
    sendPing: () => void pings.push({ atMs: clock.now() }),
    roundTripMs: () => 20,
    onSuspect: () => void suspicions.push(clock.now()),
    onSilent: () => void ends.push(clock.now()),
  });
  liveness.start();
  return { clock, pings, suspicions, ends, liveness };
}

Deno.test("a PING goes out every 1.5 s while streams are used, every 5 s after 10 s without", () => {
  const { clock, pings, liveness } = start();
  for (let ms = 0; ms < 3000; ms += 100) {
    liveness.used();
    liveness.heard();
    clock.advance(100);
  }
  assert.deepEqual(pings.map((one) => one.atMs), [0, 1500, 3000]);
  for (let ms = 0; ms < 27_000; ms += 100) {
    liveness.heard();
    clock.advance(100);
  }
  const late = pings.map((one) => one.atMs).filter((ms) => ms > 13_000);
  assert.deepEqual(late, [18_000, 23_000, 28_000]);
});

Deno.test("use ends the long rest between PINGs", () => {
  const { clock, pings, liveness } = start();
  for (let ms = 0; ms < 14_000; ms += 100) {
    liveness.heard();
    clock.advance(100);
  }
  liveness.used();
  clock.advance(500);
  assert.equal(pings.at(-1)!.atMs, 14_500);
});

Deno.test("three PINGs without a byte are the end, at most 6 s after the last byte", () => {
  const { clock, ends, liveness } = start();
  clock.advance(1499);
  liveness.heard();
  clock.advance(6000);
  assert.deepEqual(ends, [6000]);
  clock.advance(60_000);
  assert.deepEqual(ends, [6000]);
});

Deno.test("an idle end finds the silence within 10 s", () => {
  const { clock, ends, liveness } = start();
  for (let ms = 0; ms < 20_000; ms += 100) {
    liveness.heard();
    clock.advance(100);
  }
  clock.advance(10_000);
  assert.equal(ends.length, 1);
});

Deno.test("any byte is a sign of life, an answered PING or not", () => {
  const { clock, ends, liveness } = start();
  for (let ms = 0; ms < 60_000; ms += 1000) {
    liveness.heard();
    clock.advance(1000);
  }
  assert.deepEqual(ends, []);
});

Deno.test("who waits makes suspicious within 2 s, once for each silence", () => {
  const { clock, suspicions, liveness } = start();
  for (let ms = 0; ms < 20_000; ms += 100) {
    liveness.heard();
    clock.advance(100);
  }
  const usedMs = clock.now();
  liveness.used();
  clock.advance(3000);
  assert.equal(suspicions.length, 1);
  assert.ok(suspicions[0]! - usedMs <= 2000, `${suspicions[0]! - usedMs}`);
  assert.ok(liveness.isSuspect);
  liveness.heard();
  assert.equal(liveness.isSuspect, false);
});

Deno.test("silence while nobody waits is not suspicious", () => {
  const { clock, suspicions, liveness } = start();
  for (let ms = 0; ms < 20_000; ms += 100) {
    liveness.heard();
    clock.advance(100);
  }
  clock.advance(7000);
  assert.deepEqual(suspicions, []);
});

Deno.test("a peer of whose end a carrier tells by itself may be silent for as long as it likes", () => {
  const { clock, pings, ends } = start({ unansweredPings: Infinity });
  for (let ms = 0; ms < 3_600_000; ms += 1000) clock.advance(1000);
  assert.deepEqual(ends, []);
  assert.ok(pings.length > 1000);
});

Deno.test("a timer that fires far too late shows that this end slept", () => {
  let nowMs = 0;
  let fire = () => {};
  let jumps = 0;
  const liveness = new Liveness({
    clock: {
      now: () => nowMs,
      after(_ms, run) {
        fire = run;
        return () => {};
      },
    },
    unansweredPings: 3,
    sendPing: () => {},
    roundTripMs: () => 0,
    onSilent: () => assert.fail("it has slept, not the peer"),
    onJump: () => void jumps++,
  });
  liveness.start();
  nowMs += 400_000;
  fire();
  assert.equal(jumps, 1);
  nowMs += 600;
  fire();
  assert.equal(jumps, 1);
});

Deno.test("a session whose carrier goes silent without grace ends and breaks its streams off", async () => {
  const clock = new FakeClock();
  const [near, nearFar] = connPair();
  const [farNear, far] = connPair();
  const hole = { isOpen: false };
  void carry(nearFar, farNear, hole);
  void carry(farNear, nearFar, hole);
  const pair = await openPair({
    clock,
    carriers: [near, far],
    serve: (incoming) => void incoming.accept(),
  });
  const conn = await pair.dialer.open(bytesOf("x"));
  await until(() => pair.dialer.stats().roundTripMs === 0);
  const reading = assert.rejects(conn.read(new Uint8Array(1)), {
    name: "ConnResetError",
    message: /nothing came/,
  });
  hole.isOpen = true;
  clock.advance(10_000);
  await reading;
  assert.equal((await pair.dialer.ended).reason, "grace-over");
  assert.equal((await pair.acceptor.ended).reason, "grace-over");
  nearFar.reset();
  farNear.reset();
});

Deno.test("a session that is only idle stays", async () => {
  const clock = new FakeClock();
  await using pair = await openPair({ clock });
  for (let i = 0; i < 40; i++) {
    clock.advance(1500);
    await new Promise((resolve) => setTimeout(resolve));
  }
  await assert.rejects(pair.dialer.open(bytesOf("x")), {
    refusal: "unknown-target",
  });
});

/** Carries bytes one way until the hole opens; then they are lost. */
async function carry(
  from: ReturnType<typeof connPair>[0],
  to: ReturnType<typeof connPair>[0],
  hole: { isOpen: boolean },
): Promise<void> {
  const buffer = new Uint8Array(4096);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return;
      for (let at = 0; at < count && !hole.isOpen;) {
        at += await to.write(buffer.subarray(at, count));
      }
    }
  } catch {
    // The test is over.
  }
}
