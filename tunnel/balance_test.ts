import assert from "node:assert/strict";
import { Balance } from "./balance.ts";
import type { Carrier } from "./carrier.ts";
import { Stream } from "./stream.ts";

/** A stream that has moved so many bytes. */
class Flow extends Stream {
  bytes = 0;

  constructor(id: number, carrier: Carrier) {
    super(id, false);
    this.carrier = carrier;
  }

  override get movedBytes() {
    return this.bytes;
  }

  override get mayChange() {
    return true;
  }

  override emitControl() {
    return true;
  }

  override emitMove() {
    return true;
  }

  override onReset() {}
  override onSessionEnd() {}
}

function carriersOf(
  count: number,
  what: Partial<Carrier> = {},
  first = 1,
): Carrier[] {
  return Array.from({ length: count }, (_, i) => ({
    number: first + i,
    isConfirmed: true,
    isSuspect: false,
    isShortcut: false,
    ...what,
  } as Carrier));
}

const mib = 1024 * 1024;

/** Looks and lets what should move do so, until nothing should; the streams move `rates` bytes from look to look. */
function settle(
  balance: Balance,
  { flows, rates, carriers, atMs = 0 }: {
    flows: Flow[];
    rates: number[];
    carriers: Carrier[];
    atMs?: number;
  },
) {
  let moves = 0;
  for (let look = 0; look < 100; look++) {
    atMs += 100;
    for (const [i, flow] of flows.entries()) flow.bytes += rates[i]!;
    for (
      const { stream, to } of balance.look(atMs, { streams: flows, carriers })
    ) {
      moves++;
      stream.carrier = to;
    }
  }
  return { moves, atMs, places: flows.map((one) => one.carrier!.number) };
}

Deno.test("bulk leaves the carrier that it shares with small flows, and is spread over the others", () => {
  const carriers = carriersOf(3);
  const flows = [1, 3, 5, 7, 9].map((id) => new Flow(id, carriers[0]!));
  const balance = new Balance();
  const rates = [mib, 100, mib, mib, mib];
  const { moves, places } = settle(balance, { flows, rates, carriers });
  assert.equal(moves, 4);
  assert.equal(balance.bulkStreams, 4);
  assert.equal(places[1], 1);
  assert.deepEqual(
    places.filter((_, i) => i !== 1).toSorted(),
    [2, 2, 3, 3],
  );
});

Deno.test("one look says all that is to move, but nothing while that of an earlier look is being done", () => {
  const carriers = carriersOf(3);
  const flows = [1, 3, 5].map((id) => new Flow(id, carriers[0]!));
  const balance = new Balance();
  const look = (atMs: number, mayChange: boolean) => {
    for (const flow of flows) flow.bytes += flow.id === 1 ? 100 : mib;
    return balance.look(atMs, { streams: flows, carriers, mayChange });
  };
  for (let atMs = 0; atMs < 500; atMs += 100) {
    assert.deepEqual(look(atMs, false), []);
  }
  assert.deepEqual(look(500, true), [
    { stream: flows[1], to: carriers[1] },
    { stream: flows[2], to: carriers[2] },
  ]);
});

Deno.test("nothing moves while there is one carrier, or one of several does not answer", () => {
  const balance = new Balance();
  for (
    const carriers of [
      carriersOf(1),
      [...carriersOf(1), ...carriersOf(1, { isSuspect: true }, 2)],
      [...carriersOf(1), ...carriersOf(1, { isConfirmed: false }, 2)],
    ]
  ) {
    const flows = [new Flow(1, carriers[0]!), new Flow(3, carriers[0]!)];
    const { moves } = settle(balance, { flows, rates: [mib, mib], carriers });
    assert.equal(moves, 0);
  }
});

Deno.test("one look at much is not enough to move, and counts from before a pause are none", () => {
  const carriers = carriersOf(2);
  const flow = new Flow(1, carriers[0]!);
  const streams = [flow, new Flow(3, carriers[0]!)];
  const balance = new Balance();
  const look = (atMs: number) => balance.look(atMs, { streams, carriers });
  flow.bytes = mib;
  assert.deepEqual(look(10_000), []);
  assert.equal(balance.bulkStreams, 0);
  flow.bytes += mib;
  assert.deepEqual(look(10_100), []);
  assert.equal(balance.bulkStreams, 1);
  assert.deepEqual(look(10_200), []);
  flow.bytes += mib;
  assert.deepEqual(look(10_300), []);
  flow.bytes += mib;
  assert.deepEqual(look(10_400), [{ stream: flow, to: carriers[1] }]);
});

Deno.test("a stream that is alone on its carrier stays there: the other one is quiet", () => {
  const carriers = carriersOf(2);
  const flows = [new Flow(1, carriers[0]!)];
  const { moves } = settle(new Balance(), { flows, rates: [mib], carriers });
  assert.equal(moves, 0);
});

Deno.test("who moves little beside the others is small, and goes from bulk to the quiet carrier when it is used", () => {
  const carriers = carriersOf(2);
  const places = [2, 2, 2, 1, 1, 1];
  const flows = places.map((place, i) => new Flow(i, carriers[place - 1]!));
  const rates = [16 * mib, 100_000, 0, 0, 0, 0];
  const after = settle(new Balance(), { flows, rates, carriers });
  assert.deepEqual(after.places, [2, 1, 2, 1, 1, 1]);
});

Deno.test("who was bulk stays where it is for two seconds after", () => {
  const carriers = carriersOf(2);
  const [bulk, other, small] = [1, 3, 5].map((id) =>
    new Flow(id, carriers[id === 5 ? 0 : 1]!)
  );
  const balance = new Balance();
  const flows = [bulk!, other!, small!];
  let { atMs } = settle(balance, { flows, rates: [mib, mib, 9], carriers });
  const calmAtMs = atMs;
  while (other!.carrier === carriers[1]) {
    atMs += 100;
    bulk!.bytes += mib;
    other!.bytes += 10;
    for (
      const { stream, to } of balance.look(atMs, { streams: flows, carriers })
    ) stream.carrier = to;
  }
  assert.equal(atMs - calmAtMs, 2000);
  assert.equal(bulk!.carrier, carriers[1]);
});

Deno.test("the quiet carrier stays the same as long as it lives; then it is that with the most small flows", () => {
  const carriers = carriersOf(3);
  const balance = new Balance();
  const flows = [3, 2, 1, 2].map((place, i) =>
    new Flow(i, carriers[place - 1]!)
  );
  const rates = [mib, 9, 9, 9];
  const first = settle(balance, { flows, rates, carriers });
  assert.equal(first.moves, 0);

  flows[0]!.carrier = carriers[1];
  const second = settle(balance, { flows, rates, carriers, ...first });
  assert.deepEqual(second.places, [3, 2, 1, 2]);

  // The quiet one is lost, and its streams go on beside the bulk.
  flows[1]!.carrier = flows[3]!.carrier = carriers[2];
  const left = [carriers[0]!, carriers[2]!];
  const third = settle(balance, { flows, rates, carriers: left, ...second });
  assert.deepEqual(third.places, [1, 3, 3, 3]);
});

Deno.test("while there are shortcuts, streams move among these alone", () => {
  const shortcuts = carriersOf(2, { isShortcut: true }, 2);
  const plain = carriersOf(1);
  const carriers = [...plain, ...shortcuts];
  const flows = [plain[0]!, shortcuts[0]!, shortcuts[0]!].map((carrier, i) =>
    new Flow(i, carrier)
  );
  const rates = [mib, mib, 9];
  const { places } = settle(new Balance(), { flows, rates, carriers });
  assert.deepEqual(places, [1, 3, 2]);
});

Deno.test("streams that are bulk on and off are not sent about", () => {
  const carriers = carriersOf(4);
  const flows = Array.from(
    { length: 12 },
    (_, i) => new Flow(2 * i + 1, carriers[i % 4]!),
  );
  const balance = new Balance();
  let moves = 0;
  const minuteMs = 60_000;
  for (let atMs = 0; atMs < minuteMs; atMs += 50) {
    for (const [i, flow] of flows.entries()) {
      // On and off for half a second, none in step with another.
      if (Math.floor((atMs + i * 170) / (400 + 37 * i)) % 2 === 0) {
        flow.bytes += mib;
      }
    }
    for (
      const { stream, to } of balance.look(atMs, { streams: flows, carriers })
    ) {
      moves++;
      stream.carrier = to;
    }
  }
  assert.ok(moves <= 6 * flows.length, `${moves} moves in a minute`);
});
