import assert from "node:assert/strict";
import { Feed } from "./feed.ts";

Deno.test("Feed gives the last value first and each later one", async () => {
  const feed = new Feed<number>();
  feed.set(1);
  feed.set(2);
  const abort = new AbortController();
  const follower = feed.follow(abort);
  assert.equal((await follower.next()).value, 2);
  const next = follower.next();
  feed.set(3);
  assert.equal((await next).value, 3);
  feed.set(4);
  feed.set(5);
  assert.equal((await follower.next()).value, 5);
  const end = follower.next();
  abort.abort();
  assert.equal((await end).done, true);
});
