import assert from "node:assert/strict";
import { Slots } from "./slots.ts";

Deno.test("Slots gives no more places than there are, and takes them back", async () => {
  const slots = new Slots(2);
  await slots.empty();
  const [first, second] = [slots.take()!, slots.take()!];
  assert.equal(slots.take(), undefined);
  let isEmpty = false;
  const empty = slots.empty().then(() => isEmpty = true);
  first[Symbol.dispose]();
  assert.equal(slots.taken, 1);
  await Promise.resolve();
  assert.ok(!isEmpty);
  second[Symbol.dispose]();
  await empty;
  assert.ok(slots.take());
});
