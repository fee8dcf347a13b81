import assert from "node:assert/strict";
import fc from "fast-check";
import { PacketRing, recordKinds } from "./packet_ring.ts";

function record(length: number, slot = 0) {
  const bytes = Uint8Array.from({ length }, (_, i) => i + slot);
  return { kind: recordKinds.datagram, slot, generation: 7, bytes };
}

/** A ring of 64 words beside its two positions. */
function smallRing(): PacketRing {
  return new PacketRing(new SharedArrayBuffer((2 + 64) * 4));
}

Deno.test("PacketRing gives records back in order, or says that there is no room", () => {
  const steps = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant("read" as const)),
    { maxLength: 300 },
  );
  fc.assert(fc.property(steps, (steps) => {
    const ring = smallRing();
    const waiting: ReturnType<typeof record>[] = [];
    steps.forEach((step, i) => {
      if (step === "read") {
        const read = ring.read();
        const first = waiting.shift();
        assert.deepEqual(
          read && { ...read, bytes: [...read.bytes] },
          first && {
            ...first,
            bytes: [...first.bytes],
          },
        );
        if (read) ring.release(read);
      } else if (ring.write(record(step, i))) waiting.push(record(step, i));
      else assert.ok(waiting.length > 0 || step > 64);
    });
  }));
});

Deno.test("PacketRing.write() refuses what does not fit, until something was read", () => {
  const ring = smallRing();
  let written = 0;
  while (ring.write(record(40, written))) written++;
  assert.ok(written > 1);
  ring.release(ring.read()!);
  assert.ok(ring.write(record(40)));
});

Deno.test("PacketRing positions may pass 2^32", () => {
  const memory = new SharedArrayBuffer((2 + 64) * 4);
  new Int32Array(memory, 0, 2).fill(-32);
  const ring = new PacketRing(memory);
  for (let i = 0; i < 20; i++) {
    assert.ok(ring.write(record(50, i)));
    const read = ring.read()!;
    assert.equal(read.slot, i);
    assert.deepEqual([...read.bytes], [...record(50, i).bytes]);
    ring.release(read);
  }
  assert.equal(ring.read(), undefined);
});

Deno.test("PacketRing.wait() resolves when something is written, and when woken", async () => {
  const running = setTimeout(() => {}, 10_000);
  const ring = smallRing();
  const twin = new PacketRing(ring.memory);
  let waited = ring.wait();
  assert.ok(twin.write(record(3)));
  await waited;
  await ring.wait(); // there is something already
  ring.release(ring.read()!);
  waited = ring.wait();
  ring.wake();
  await waited;
  clearTimeout(running);
});
