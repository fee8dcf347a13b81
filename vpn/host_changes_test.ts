import assert from "node:assert/strict";
import { openHostChanges } from "./os.ts";

Deno.test("HostChanges.next() ends when it is disposed of, and is false from there on", async () => {
  const changes = openHostChanges();
  // Whatever changes on this host meanwhile.
  const last = (async () => {
    while (await changes.next());
    return "ended";
  })();
  await changes[Symbol.asyncDispose]();
  await changes[Symbol.asyncDispose]();
  assert.equal(await last, "ended");
  assert.equal(await changes.next(), false);
});
