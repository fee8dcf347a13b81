import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { type Endpoint, Ip, RefusedError, systemClock } from "../net/mod.ts";
import type { UdpDatagrams } from "./udp_datagrams.ts";
import { UdpMapping } from "./udp_mapping.ts";
import { UdpPeer } from "./udp_peer_fake.ts";

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    assert.ok(i < 500, "waited for five seconds");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The one mapping of a test, which takes up to `wanted` strangers. */
function openMapping(family: 4 | 6, { wanted = 10 } = {}) {
  const strangers: UdpDatagrams[] = [];
  const from: Endpoint[] = [];
  const opened: UdpDatagrams[] = [];
  let emptied = 0;
  const mapping = new UdpMapping({
    ...{ family, clock: systemClock, idleMs: 60_000 },
    onStranger: (one, open) => {
      from.push(one);
      if (strangers.length < wanted) strangers.push(open()!);
    },
    onEmpty: () => emptied++,
  });
  return {
    ...{ strangers, from },
    get emptied() {
      return emptied;
    },
    get size() {
      return mapping.size;
    },
    open(to: Endpoint) {
      const flow = mapping.open(to);
      opened.push(flow);
      return flow;
    },
    async [Symbol.asyncDispose]() {
      const all = [...opened, ...strangers];
      for (const flow of all) flow.close();
      await Promise.all(all.map(({ released }) => released));
    },
  };
}

const say = (flow: UdpDatagrams, text: string) =>
  assert.ok(flow.send(new TextEncoder().encode(text)));

async function received(flow: UdpDatagrams): Promise<string> {
  const into = new Uint8Array(100);
  const length = await flow.receive(into);
  return new TextDecoder().decode(into.subarray(0, length ?? 0));
}

for (const [family, address] of [[4, "127.0.0.1"], [6, "::1"]] as const) {
  Deno.test(`UdpMapping, IPv${family}: all peers see one port, and each flow hears its own alone`, async () => {
    await using one = await UdpPeer.open(address);
    await using two = await UdpPeer.open(address);
    await using mapping = openMapping(family);
    const toOne = mapping.open(one.endpoint);
    const toTwo = mapping.open(two.endpoint);
    say(toOne, "a");
    say(toTwo, "b");
    const [{ text, port }, second] = [await one.next(), await two.next()];
    assert.deepEqual([text, second], ["a", { text: "b", port }]);
    await two.send("of two", port);
    await one.send("of one", port);
    assert.equal(await received(toOne), "of one");
    assert.equal(await received(toTwo), "of two");
    assert.equal(mapping.from.length, 0);
  });

  Deno.test(`UdpMapping, IPv${family}: who was not spoken to is a stranger, and then a peer as any`, async () => {
    await using one = await UdpPeer.open(address);
    await using other = await UdpPeer.open(address);
    await using mapping = openMapping(family);
    say(mapping.open(one.endpoint), "a");
    const { port } = await one.next();
    for (const text of ["x", "y", "z"]) await other.send(text, port);
    await until(() => mapping.strangers.length > 0);
    const [flow] = mapping.strangers;
    for (const text of ["x", "y", "z"]) {
      assert.equal(await received(flow!), text);
    }
    assert.equal(String(mapping.from[0]!.ip), address);
    assert.equal(mapping.from[0]!.port, other.endpoint.port);
    assert.equal(mapping.from.length, 1);
    say(flow!, "back");
    assert.deepEqual(await other.next(), { text: "back", port });
  });
}

const ip = Ip.parse("127.0.0.1");

Deno.test("UdpMapping: who is not wanted is not heard, and no flow is the worse for it", async () => {
  await using one = await UdpPeer.open();
  await using other = await UdpPeer.open();
  await using mapping = openMapping(4, { wanted: 0 });
  const flow = mapping.open(one.endpoint);
  say(flow, "a");
  const { port } = await one.next();
  for (let i = 0; i < 200; i++) await other.send(`${i}`, port);
  await until(() => mapping.from.length > 100);
  await one.send("b", port);
  assert.equal(await received(flow), "b");
  assert.equal(mapping.size, 1);
});

Deno.test("UdpMapping: flows that come while strangers send without end lose nothing, and hear nothing of theirs", async () => {
  await using one = await UdpPeer.open();
  await using other = await UdpPeer.open();
  await using mapping = openMapping(4, { wanted: 0 });
  say(mapping.open(one.endpoint), "a");
  const { port } = await one.next();
  for (let i = 0; i < 50; i++) {
    for (let k = 0; k < 20; k++) await other.send("stranger", port);
    await using peer = await UdpPeer.open();
    const flow = mapping.open(peer.endpoint);
    for (let k = 0; k < 20; k++) await other.send("stranger", port);
    say(flow, `${i}`);
    assert.deepEqual(await peer.next(), { text: `${i}`, port });
    await peer.send(`answer ${i}`, port);
    assert.equal(await received(flow), `answer ${i}`);
    flow.close();
  }
});

Deno.test("UdpMapping: a peer's port that nobody has refuses its own flow alone", async () => {
  await using one = await UdpPeer.open();
  await using mapping = openMapping(4);
  const flow = mapping.open(one.endpoint);
  const refused = mapping.open({ ip, port: 9 });
  const end = refused.receive(new Uint8Array(1));
  say(refused, "a");
  await assert.rejects(
    end,
    (error) => error instanceof RefusedError && error.refusal === "refused",
  );
  say(flow, "b");
  assert.equal((await one.next()).text, "b");
  assert.equal(mapping.size, 1);
});

Deno.test("UdpMapping lasts as long as any of its flows; a second flow to a peer is in place of the first", async () => {
  await using one = await UdpPeer.open();
  await using mapping = openMapping(4);
  const first = mapping.open(one.endpoint);
  const second = mapping.open(one.endpoint);
  assert.equal(await first.receive(new Uint8Array(1)), null);
  assert.equal(first.send(Uint8Array.of(1)), false);
  say(second, "a");
  const { port } = await one.next();
  assert.equal(mapping.emptied, 0);
  second.close();
  await second.released;
  assert.deepEqual([mapping.emptied, mapping.size], [1, 0]);
  // The port is free.
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, resolve);
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});
