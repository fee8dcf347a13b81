import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Flight } from "./flight.ts";

const mib = 1024 * 1024;
const batchBytes = 256 * 1024;

/** A way that delivers `rate` bytes per millisecond in order, and takes `roundTripMs` beside. */
class Way {
  readonly clock = new FakeClock();
  readonly flight = new Flight(this.clock);
  sentBytes = 0;
  #freeMs = 0;
  readonly #pongs: { atMs: number; token: number }[] = [];

  constructor(public rate: number, readonly roundTripMs: number) {}

  /** Sends as much as the cap lets for so long. Returns the share of the way that was used. */
  run(ms: number): number {
    const [startMs, startBytes] = [
      this.clock.now(),
      this.flight.deliveredBytes,
    ];
    while (this.clock.now() < startMs + ms) {
      while (
        this.sentBytes - this.flight.deliveredBytes < this.flight.capBytes
      ) {
        this.#send();
      }
      this.clock.advance(0.25);
      while (this.#pongs[0] && this.#pongs[0].atMs <= this.clock.now()) {
        this.flight.onPong(this.#pongs.shift()!.token);
      }
    }
    return (this.flight.deliveredBytes - startBytes) / (ms * this.rate);
  }

  get capInProducts(): number {
    return this.flight.capBytes / (this.rate * this.roundTripMs);
  }

  #send(): void {
    this.sentBytes += batchBytes;
    const nowMs = this.clock.now();
    this.#freeMs = Math.max(this.#freeMs, nowMs) + batchBytes / this.rate;
    if (!this.flight.isMarkDue(this.sentBytes)) return;
    const token = this.flight.mark(this.sentBytes, true);
    this.#pongs.push({ atMs: this.#freeMs + this.roundTripMs, token });
  }
}

for (
  const [roundTripMs, rate] of [[20, 125_000], [80, 125_000], [80, 50_000]]
) {
  Deno.test(`a way of ${roundTripMs} ms and ${rate! / 125} Mbit/s is filled soon, and not far above`, () => {
    const way = new Way(rate!, roundTripMs!);
    way.run(12 * roundTripMs!);
    assert.ok(way.run(5000) > 0.97);
    assert.ok(way.capInProducts >= 1, `${way.capInProducts}`);
    assert.ok(way.capInProducts <= 2, `${way.capInProducts}`);
  });
}

Deno.test("the cap finds more when the way becomes faster, and goes back when it becomes slower", () => {
  const way = new Way(25_000, 40);
  way.run(4000);
  way.rate = 100_000;
  way.run(2000);
  assert.ok(way.run(2000) > 0.95);
  way.rate = 25_000;
  way.run(20_000);
  assert.ok(way.run(2000) > 0.95);
  assert.ok(way.capInProducts <= 2.5, `${way.capInProducts}`);
});

Deno.test("a short way has a cap of some ten milliseconds, a slow one the least", () => {
  const short = new Way(1_000_000, 0.5);
  short.run(500);
  const capMs = short.flight.capBytes / short.rate;
  assert.ok(capMs >= 10 && capMs <= 11, `${capMs}`);
  const slow = new Way(1000, 20);
  slow.run(20_000);
  assert.equal(slow.flight.capBytes, mib / 2);
});

Deno.test("the round trip is that of the last PING, and the shortest is kept; an old PONG says nothing", () => {
  const clock = new FakeClock();
  const flight = new Flight(clock);
  const first = flight.mark(100, false);
  clock.advance(40);
  flight.onPong(first);
  clock.advance(1000);
  flight.onPong(first);
  assert.equal(flight.roundTripMs, 40);
  const second = flight.mark(200, false);
  clock.advance(70);
  flight.onPong(second);
  assert.equal(flight.roundTripMs, 70);
  assert.equal(flight.leastRoundTripMs, 40);
  assert.equal(flight.deliveredBytes, 200);
});
