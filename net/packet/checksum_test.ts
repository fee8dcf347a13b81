import assert from "node:assert/strict";
import fc from "fast-check";
import {
  deltaOf,
  fold,
  sumOf,
  updateChecksum,
  updateSum,
  writeUint16,
} from "./checksum.ts";

/** RFC 1071 section 4.1, word by word. */
function reference(bytes: Uint8Array): number {
  let sum = 0n;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += BigInt(bytes[at]! << 8 | (bytes[at + 1] ?? 0));
  }
  while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(sum);
}

/** Zero has two forms in ones' complement. */
function canonical(sum: number): number {
  return sum === 0xffff ? 0 : sum;
}

Deno.test("sumOf() agrees with the reference for any octets", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
    const sum = sumOf(bytes, { start: 0, end: bytes.length });
    assert.equal(sum, reference(bytes));
  }));
});

Deno.test("updateChecksum() and updateSum() agree with a whole new sum after any rewrite", () => {
  const words = fc.array(fc.integer({ min: 0, max: 0xffff }), {
    minLength: 1,
    maxLength: 18,
  });
  const message = fc.uint8Array({ minLength: 64, maxLength: 64 });
  fc.assert(fc.property(message, words, (bytes, rewrite) => {
    const length = rewrite.length * 2;
    const before = sumOf(bytes, { start: 0, end: bytes.length });
    const old = sumOf(bytes, { start: 0, end: length });
    rewrite.forEach((word, i) => writeUint16(bytes, 2 * i, word));
    const delta = deltaOf(old, sumOf(bytes, { start: 0, end: length }));
    const after = sumOf(bytes, { start: 0, end: bytes.length });
    assert.equal(canonical(updateSum(before, delta)), canonical(after));
    assert.equal(
      canonical(~updateChecksum(~before & 0xffff, delta) & 0xffff),
      canonical(after),
    );
  }));
});

Deno.test("deltaOf() of a change and of its undoing cancel out", () => {
  const word = fc.integer({ min: 0, max: 0xffff });
  fc.assert(fc.property(word, word, (before, after) => {
    const sum = fold(deltaOf(before, after) + deltaOf(after, before));
    assert.equal(canonical(sum), 0);
  }));
});
