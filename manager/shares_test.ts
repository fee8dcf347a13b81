import assert from "node:assert/strict";
import { Shares } from "./shares.ts";

function fill(shares: Shares, key: string): Disposable[] {
  const places: Disposable[] = [];
  for (;;) {
    const place = shares.take(key);
    if (place === undefined) return places;
    places.push(place);
  }
}

Deno.test("Shares gives one key half of all, the next a part of what is left, and always a place to who has none", () => {
  const shares = new Shares(64);
  const taken = ["a", "b", "c", "d"].map((key) => fill(shares, key).length);
  assert.deepEqual(taken, [32, 16, 8, 4]);
  assert.equal(shares.take("a"), undefined);
  assert.ok(shares.take("e"));
});

Deno.test("Shares takes places back once, and lets a key hold more when others have gone", async () => {
  const shares = new Shares(8);
  await shares.empty();
  const first = fill(shares, "a");
  assert.equal(first.length, 4);
  const [other] = fill(shares, "b");
  for (const place of first) {
    place[Symbol.dispose]();
    place[Symbol.dispose]();
  }
  assert.equal(shares.taken, 2);
  assert.equal(shares.take("a", 7), undefined);
  assert.ok(shares.take("a", 6));
  assert.ok(other);
});
