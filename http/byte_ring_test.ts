import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteRing } from "./byte_ring.ts";

const bound = 8 * 1024;

Deno.test("ByteRing gives octets back in order, up to its bound, however they were pushed and taken", () => {
  const step = fc.record({
    push: fc.nat({ max: 6_000 }),
    drop: fc.nat({ max: 6_000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const ring = new ByteRing(bound);
    let next = 0;
    let expected: number[] = [];
    for (const { push, drop } of steps) {
      const octets = Uint8Array.from({ length: push }, () => next++ % 251);
      const hasRoom = expected.length + push <= bound;
      assert.equal(ring.push(octets), hasRoom);
      if (hasRoom) expected = expected.concat([...octets]);
      const there = ring.peek();
      assert.equal(there.length > 0, expected.length > 0);
      assert.deepEqual([...there], expected.slice(0, there.length));
      const taken = Math.min(drop, there.length);
      ring.drop(taken);
      expected = expected.slice(taken);
      assert.equal(ring.size, expected.length);
    }
  }));
});

Deno.test("ByteRing leaves what was peeked as it is while more is pushed", () => {
  const ring = new ByteRing(bound);
  ring.push(new Uint8Array(4_000).fill(1));
  const peeked = ring.peek();
  ring.push(new Uint8Array(4_000).fill(2));
  assert.ok(peeked.every((octet) => octet === 1));
});
