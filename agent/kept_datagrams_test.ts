import assert from "node:assert/strict";
import { KeptDatagrams, maxKeptBytes } from "./kept_datagrams.ts";

Deno.test("KeptDatagrams keeps copies, in their order", () => {
  const kept = new KeptDatagrams();
  const bytes = new Uint8Array(1);
  for (let i = 0; i < 3; i++) {
    bytes[0] = i;
    assert.ok(kept.add(bytes));
  }
  assert.deepEqual([...kept].map(([first]) => first), [0, 1, 2]);
});

Deno.test("KeptDatagrams keeps one of any size, and of several no more than it has room for", () => {
  const large = new KeptDatagrams();
  assert.ok(large.add(new Uint8Array(65_507)));
  assert.equal(large.add(new Uint8Array(1)), false);
  for (const length of [0, 100, 1_000]) {
    const kept = new KeptDatagrams();
    let count = 0;
    while (kept.add(new Uint8Array(length))) count++;
    assert.equal([...kept].length, count);
    assert.ok(count * length <= maxKeptBytes, `${count} of ${length}`);
    assert.ok(count > 10 && count < 300, `${count} of ${length}`);
  }
});
