import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Ip, RefusedError, systemClock } from "../net/mod.ts";
import { UdpDatagrams } from "./udp_datagrams.ts";

/** A peer on the loopback address that notes the first octet of what comes. */
async function openPeer() {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const received: number[] = [];
  let from = 0;
  socket.on("message", (message: Uint8Array, { port }) => {
    received.push(message[0]!);
    from = port;
  });
  const to = { ip: Ip.parse("127.0.0.1"), port: socket.address().port };
  const flow = new UdpDatagrams(to, { clock: systemClock, idleMs: 60_000 });
  return {
    flow,
    received,
    /** To whom it last heard from. */
    answer: (bytes: Uint8Array) =>
      new Promise((resolve) => socket.send(bytes, from, "127.0.0.1", resolve)),
    async [Symbol.asyncDispose]() {
      flow.close();
      await flow.released;
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    assert.ok(i < 500, "waited for five seconds");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("UdpDatagrams sends in the order that it was told", async () => {
  await using peer = await openPeer();
  const wanted = Array.from({ length: 100 }, (_, i) => i);
  for (const i of wanted) assert.ok(peer.flow.send(Uint8Array.of(i)));
  await until(() => peer.received.length === wanted.length);
  assert.deepEqual(peer.received, wanted);
});

Deno.test("UdpDatagrams receives in the order of what came, of its peer alone, and no more than it has room for", async () => {
  await using peer = await openPeer();
  peer.flow.send(Uint8Array.of(0));
  await until(() => peer.received.length === 1);
  const large = new Uint8Array(65_507).fill(7);
  await peer.answer(large);
  const into = new Uint8Array(65_527);
  assert.equal(await peer.flow.receive(into), large.length);
  assert.deepEqual(into.subarray(0, large.length), large);
  for (let i = 0; i < 300; i++) {
    await peer.answer(Uint8Array.of(i));
    if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (let i = 0; i < 256; i++) {
    assert.equal(await peer.flow.receive(into), 1);
    assert.equal(into[0], i);
  }
  const next = peer.flow.receive(into);
  await peer.answer(Uint8Array.of(99));
  assert.deepEqual([await next, into[0]], [1, 99], "the rest was dropped");
});

for (const ip of ["127.0.0.1", "::1"]) {
  Deno.test(`UdpDatagrams to a port of ${ip} that nobody has is refused by what was sent, not before`, async () => {
    const to = { ip: Ip.parse(ip), port: 9 };
    const flow = new UdpDatagrams(to, { clock: systemClock, idleMs: 60_000 });
    const into = new Uint8Array(1);
    const received = flow.receive(into);
    assert.ok(flow.send(Uint8Array.of(1)));
    const isRefused = (error: unknown) =>
      error instanceof RefusedError && error.refusal === "refused";
    await assert.rejects(received, isRefused);
    await assert.rejects(flow.receive(into), isRefused);
    assert.equal(flow.send(Uint8Array.of(1)), false);
    await flow.released;
  });
}

Deno.test("UdpDatagrams.forward() gives what waits, then what comes, until the flow is closed", async () => {
  await using peer = await openPeer();
  peer.flow.send(Uint8Array.of(0));
  await until(() => peer.received.length === 1);
  for (let i = 0; i < 3; i++) await peer.answer(Uint8Array.of(i));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const taken: number[] = [];
  const forwarded = peer.flow.forward((bytes) => void taken.push(bytes[0]!));
  for (let i = 3; i < 6; i++) await peer.answer(Uint8Array.of(i));
  await until(() => taken.length === 6);
  assert.deepEqual(taken, [0, 1, 2, 3, 4, 5]);
  peer.flow.close();
  await forwarded;
});

Deno.test("UdpDatagrams has one receiver at a time, and the first one keeps its place", async () => {
  await using peer = await openPeer();
  peer.flow.send(Uint8Array.of(0));
  await until(() => peer.received.length === 1);
  const into = new Uint8Array(1);
  const first = peer.flow.receive(into);
  await assert.rejects(peer.flow.receive(new Uint8Array(1)), TypeError);
  await assert.rejects(peer.flow.forward(() => {}), TypeError);
  await peer.answer(Uint8Array.of(7));
  assert.deepEqual([await first, into[0]], [1, 7]);
});

Deno.test("UdpDatagrams leaves what a taker throws to who forwards, and others go on", async () => {
  await using peer = await openPeer();
  await using other = await openPeer();
  for (const { flow } of [peer, other]) flow.send(Uint8Array.of(0));
  await until(() => peer.received.length + other.received.length === 2);
  const forwarded = peer.flow.forward(() => {
    throw new Error("a taker's");
  });
  const broken = assert.rejects(forwarded, { message: "a taker's" });
  await peer.answer(Uint8Array.of(1));
  await broken;
  const into = new Uint8Array(1);
  const received = other.flow.receive(into);
  await other.answer(Uint8Array.of(2));
  assert.deepEqual([await received, into[0]], [1, 2]);
});

Deno.test("UdpDatagrams that is patient tells that nobody has the port, and goes on", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const to = { ip: Ip.parse("127.0.0.1"), port: socket.address().port };
  await new Promise<void>((resolve) => socket.close(resolve));
  const refused = Promise.withResolvers<void>();
  const flow = new UdpDatagrams(to, {
    ...{ clock: systemClock, idleMs: 60_000 },
    ...{ isPatient: true, onRefused: refused.resolve },
  });
  const received = flow.receive(new Uint8Array(1));
  flow.send(Uint8Array.of(1));
  await refused.promise;
  const later = createSocket("udp4");
  later.on("message", (_, { port }) => later.send("x", port, "127.0.0.1"));
  await new Promise<void>((resolve) => later.bind(to.port, resolve));
  assert.ok(flow.send(Uint8Array.of(1)));
  assert.equal(await received, 1);
  flow.close();
  await flow.released;
  await new Promise<void>((resolve) => later.close(resolve));
});

/** A port that nobody has on any loopback address. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp6");
  await new Promise<void>((resolve) => socket.bind(0, "::", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Who answers each datagram with itself. */
async function openEcho(ip: string, port: number) {
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message, { port, address }) => {
    socket.send(message, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(port, ip, resolve));
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => socket.close(resolve)),
  };
}

const places = {
  ip: Ip.parse("127.0.0.1"),
  others: [Ip.parse("::1"), Ip.parse("127.0.0.2")],
};

for (const ip of ["::1", "127.0.0.2"]) {
  Deno.test(`UdpDatagrams goes on to ${ip}, with all that it has sent, where nobody has the port at the addresses before`, async () => {
    const port = await freePort();
    await using _ = await openEcho(ip, port);
    const options = { clock: systemClock, idleMs: 60_000 };
    const flow = new UdpDatagrams({ ...places, port }, options);
    const into = new Uint8Array(1);
    for (const octet of [1, 2, 3]) assert.ok(flow.send(Uint8Array.of(octet)));
    for (const octet of [1, 2, 3]) {
      assert.deepEqual([await flow.receive(into), into[0]], [1, octet]);
    }
    assert.ok(flow.send(Uint8Array.of(4)));
    assert.deepEqual([await flow.receive(into), into[0]], [1, 4]);
    flow.close();
    await flow.released;
  });
}

Deno.test("UdpDatagrams is refused where nobody has the port at any address, and stays with the one that answered", async () => {
  const port = await freePort();
  const options = { clock: systemClock, idleMs: 60_000 };
  const into = new Uint8Array(1);
  const nobodys = new UdpDatagrams({ ...places, port }, options);
  nobodys.send(Uint8Array.of(1));
  await assert.rejects(nobodys.receive(into), { refusal: "refused" });
  await nobodys.released;
  const flow = new UdpDatagrams({ ...places, port }, options);
  {
    await using _ = await openEcho("127.0.0.1", port);
    flow.send(Uint8Array.of(2));
    assert.deepEqual([await flow.receive(into), into[0]], [1, 2]);
  }
  await using _ = await openEcho("::1", port);
  flow.send(Uint8Array.of(3));
  await assert.rejects(flow.receive(into), { refusal: "refused" });
  await flow.released;
});

Deno.test("UdpDatagrams that is patient finds who has the port later, at whichever address", async () => {
  const port = await freePort();
  const options = { clock: systemClock, idleMs: 60_000, isPatient: true };
  const flow = new UdpDatagrams({ ...places, port }, options);
  const into = new Uint8Array(1);
  const received = flow.receive(into);
  for (const octet of [1, 2]) flow.send(Uint8Array.of(octet));
  await using _ = await openEcho("::1", port);
  assert.ok(flow.send(Uint8Array.of(3)));
  assert.deepEqual([await received, into[0]], [1, 3]);
  flow.close();
  await flow.released;
});
