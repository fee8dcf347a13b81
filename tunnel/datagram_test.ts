import assert from "node:assert/strict";
import { type Datagrams, type Refusal, RefusedError } from "../net/mod.ts";
import { DatagramBudget, DatagramQueue } from "./datagram_queue.ts";
import type { Incoming } from "./mod.ts";
import { bytesOf, openPair, pattern, until } from "./session_fake.ts";

function keeper() {
  const flows: Datagrams[] = [];
  return {
    flows,
    serve: (incoming: Incoming) => void flows.push(incoming.acceptDatagrams()),
  };
}

async function receive(flow: Datagrams): Promise<Uint8Array | null> {
  const buffer = new Uint8Array(65536);
  const count = await flow.receive(buffer);
  return count === null ? null : buffer.subarray(0, count);
}

Deno.test("datagrams keep their bounds, both ways", async () => {
  const { flows, serve } = keeper();
  await using pair = await openPair({ serve });
  const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
  const sizes = [0, 1, 1400, 9000, 65527];
  for (const size of sizes) assert.ok(flow.send(pattern(size)));
  for (const size of sizes) {
    assert.deepEqual(await receive(flows[0]!), pattern(size));
    assert.ok(flows[0]!.send(pattern(size, 2)));
    assert.deepEqual(await receive(flow), pattern(size, 2));
  }
  flow.close();
});

Deno.test("forward() gives what waits, then what comes, until the flow ends", async () => {
  const { flows, serve } = keeper();
  await using pair = await openPair({ serve });
  const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
  flow.send(bytesOf("one"));
  flow.send(bytesOf(""));
  await until(() => flows.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const taken: string[] = [];
  const forwarded = flows[0]!.forward!((bytes) =>
    void taken.push(new TextDecoder().decode(bytes))
  );
  flow.send(bytesOf("two"));
  flow.close();
  await forwarded;
  assert.deepEqual(taken, ["one", "", "two"]);
  await flows[0]!.forward!(() => assert.fail("it has ended"));
});

Deno.test("what a taker throws is for who forwards: the flow ends, and the session goes on", async () => {
  const { flows, serve } = keeper();
  await using pair = await openPair({ serve });
  const [flow, other] = await Promise.all(
    ["1", "2"].map((target) => pair.dialer.openDatagrams(bytesOf(target))),
  );
  await until(() => flows.length === 2);
  const forwarded = flows[0]!.forward!(() => {
    throw new Error("a taker's");
  });
  const broken = assert.rejects(forwarded, { message: "a taker's" });
  flow!.send(bytesOf("one"));
  await broken;
  assert.equal(await flow!.receive(new Uint8Array(1)), null);
  other!.send(bytesOf("two"));
  assert.deepEqual(await receive(flows[1]!), bytesOf("two"));
});

Deno.test("a datagram is cut to the receiver's buffer, the next one is whole", async () => {
  const { flows, serve } = keeper();
  await using pair = await openPair({ serve });
  const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
  flow.send(bytesOf("abcdef"));
  flow.send(bytesOf("ghi"));
  assert.equal(await flows[0]!.receive(new Uint8Array(2)), 2);
  assert.deepEqual(await receive(flows[0]!), bytesOf("ghi"));
});

Deno.test("what nobody receives is dropped and counted, within its bound", async () => {
  const { flows, serve } = keeper();
  const datagramQueueBytes = 64 * 1024;
  await using pair = await openPair({ serve, limits: { datagramQueueBytes } });
  const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
  for (let i = 0; i < 200; i++) {
    while (!flow.send(pattern(1000, i))) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  const { datagramsDropped: atDialer } = pair.dialer.stats();
  await until(() => pair.acceptor.stats().datagramsDropped > 100);
  assert.deepEqual(await receive(flows[0]!), pattern(1000, 0));
  assert.equal(pair.dialer.stats().datagramsDropped, atDialer);
});

Deno.test("send() says so when there is no room", async () => {
  const { serve } = keeper();
  await using pair = await openPair({ serve });
  const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
  let sent = 0;
  while (flow.send(new Uint8Array(60_000))) sent++;
  assert.equal(sent, 4);
  assert.equal(flow.send(new Uint8Array(65_528)), false, "too long for UDP");
  assert.equal(pair.dialer.stats().datagramsDropped, 2);
});

Deno.test("close() ends the flow at both ends, after what was sent", async () => {
  const { flows, serve } = keeper();
  await using pair = await openPair({ serve });
  const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
  flow.send(bytesOf("last"));
  flow.close();
  assert.equal(flow.send(bytesOf("late")), false);
  assert.equal(await receive(flow), null);
  assert.deepEqual(await receive(flows[0]!), bytesOf("last"));
  assert.equal(await receive(flows[0]!), null);
  assert.equal(flows[0]!.send(bytesOf("late")), false);
  await until(() => pair.dialer.stats().streams === 0);
  assert.equal(pair.acceptor.stats().streams, 0);
});

const reasons: [Refusal, isTold: boolean][] = [
  ["refused", true],
  ["unreachable", true],
  ["timeout", false],
];
for (const [refusal, isTold] of reasons) {
  Deno.test(`close() because of "${refusal}" ends the flow at both ends, after what was sent, ${isTold ? "and tells why" : "and does not tell"}`, async () => {
    const { flows, serve } = keeper();
    await using pair = await openPair({ serve });
    const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
    flow.send(bytesOf("anyone?"));
    assert.deepEqual(await receive(flows[0]!), bytesOf("anyone?"));
    flows[0]!.send(bytesOf("last"));
    flows[0]!.close(new RefusedError(refusal, "no"));
    await until(() => pair.dialer.stats().streams === 0);
    assert.equal(pair.acceptor.stats().streams, 0);
    assert.deepEqual(await receive(flow), bytesOf("last"));
    const isWhy = (error: unknown) =>
      error instanceof RefusedError && error.refusal === refusal;
    for (let i = 0; i < 2; i++) {
      if (isTold) await assert.rejects(receive(flow), isWhy);
      else assert.equal(await receive(flow), null);
    }
  });
}

Deno.test("a flow that waits for a datagram ends with its session", async () => {
  const { flows, serve } = keeper();
  await using pair = await openPair({ serve });
  const flow = await pair.dialer.openDatagrams(bytesOf("udp"));
  const waiting = [receive(flow), receive(flows[0]!)];
  pair.dialer.close();
  assert.deepEqual(await Promise.all(waiting), [null, null]);
});

Deno.test("an answer of the wrong kind is a TypeError", async () => {
  const arrivals: Incoming[] = [];
  await using pair = await openPair({
    serve: (incoming) => void arrivals.push(incoming),
  });
  const opening = pair.dialer.openDatagrams(bytesOf("udp"));
  await until(() => arrivals.length === 1);
  assert.throws(() => arrivals[0]!.accept(), TypeError);
  arrivals[0]!.acceptDatagrams();
  assert.throws(() => arrivals[0]!.acceptDatagrams(), TypeError);
  (await opening).close();
});

Deno.test("a queue keeps datagrams in order and gives its memory back", () => {
  const budget = new DatagramBudget(1_000_000);
  const queue = new DatagramQueue(200_000, budget);
  const into = new Uint8Array(65536);
  for (let round = 0; round < 3; round++) {
    const sizes = [10, 5000, 0, 60_000, 4000, 100];
    for (const size of sizes) {
      assert.ok(queue.push(pattern(size + 2, size), 1, size + 1));
    }
    for (const size of sizes) {
      assert.equal(queue.nextLength, size);
      assert.equal(queue.shiftInto(into, 3), size);
      const expected = pattern(size + 2, size).subarray(1, size + 1);
      assert.deepEqual(into.subarray(3, 3 + size), expected);
    }
    assert.ok(queue.isEmpty);
    assert.equal(budget.leftBytes, 1_000_000);
  }
});

Deno.test("queues share the budget of their session", () => {
  const budget = new DatagramBudget(70_000);
  const [a, b] = [
    new DatagramQueue(1_000_000, budget),
    new DatagramQueue(1_000_000, budget),
  ];
  assert.ok(a.push(new Uint8Array(50_000), 0, 50_000));
  assert.equal(b.push(new Uint8Array(50_000), 0, 50_000), false);
  assert.equal(budget.dropped, 1);
  a.clear();
  assert.ok(b.push(new Uint8Array(50_000), 0, 50_000));
});
