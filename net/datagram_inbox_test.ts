import assert from "node:assert/strict";
import { DatagramInbox } from "./datagram_inbox.ts";

function received(inbox: DatagramInbox): Promise<number[] | null> {
  const into = new Uint8Array(2);
  return inbox.receive(into).then((length) =>
    length === null ? null : [...into.subarray(0, length)]
  );
}

Deno.test("DatagramInbox gives what waits in order, cut to the receiver's room, and drops what has none", async () => {
  const inbox = new DatagramInbox(2);
  const bytes = Uint8Array.of(1, 2, 3);
  assert.ok(inbox.put(bytes));
  bytes.fill(9);
  assert.ok(inbox.put(Uint8Array.of()));
  assert.equal(inbox.put(Uint8Array.of(7)), false);
  assert.deepEqual(await received(inbox), [1, 2]);
  assert.deepEqual(await received(inbox), []);
  const next = received(inbox);
  assert.ok(inbox.put(Uint8Array.of(4)));
  assert.deepEqual(await next, [4]);
});

Deno.test("DatagramInbox.forward() gives what waits, then what comes, until the end", async () => {
  const inbox = new DatagramInbox(2);
  inbox.put(Uint8Array.of(1));
  inbox.put(Uint8Array.of(2));
  const taken: number[] = [];
  const forwarded = inbox.forward((bytes) => void taken.push(bytes[0]!));
  inbox.put(Uint8Array.of(3));
  inbox.end();
  await forwarded;
  assert.deepEqual(taken, [1, 2, 3]);
  assert.equal(inbox.put(Uint8Array.of(4)), false);
  assert.equal(await received(inbox), null);
});

Deno.test("DatagramInbox has one receiver at a time, and the first one keeps its place", async () => {
  const inbox = new DatagramInbox(1);
  const first = received(inbox);
  await assert.rejects(received(inbox), TypeError);
  await assert.rejects(inbox.forward(() => {}), TypeError);
  inbox.put(Uint8Array.of(1));
  assert.deepEqual(await first, [1]);
  const forwarded = inbox.forward(() => {});
  await assert.rejects(received(inbox), TypeError);
  inbox.end();
  await forwarded;
});

Deno.test("DatagramInbox.end() throws its failure after what waits", async () => {
  const inbox = new DatagramInbox(1);
  inbox.put(Uint8Array.of(1));
  inbox.end(new Error("refused"));
  inbox.end();
  assert.deepEqual(await received(inbox), [1]);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(received(inbox), { message: "refused" });
  }
  await assert.rejects(inbox.forward(() => {}), { message: "refused" });
  const other = new DatagramInbox(1);
  const waiting = received(other);
  other.end(new Error("refused"));
  await assert.rejects(waiting, { message: "refused" });
});

Deno.test("DatagramInbox.put() leaves what its taker throws to who forwards, and has ended", async () => {
  const inbox = new DatagramInbox(1);
  const forwarded = inbox.forward(() => {
    throw new Error("a taker's");
  });
  inbox.put(Uint8Array.of(1));
  await assert.rejects(forwarded, { message: "a taker's" });
  assert.equal(inbox.put(Uint8Array.of(2)), false);
});
