import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Ip, systemClock } from "../net/mod.ts";
import { UdpDatagrams } from "./udp_datagrams.ts";

/** A peer on the loopback address that notes the first octet of what comes. */
async function openPeer() {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const received: number[] = [];
  socket.on("message", (message: Uint8Array) => received.push(message[0]!));
  const to = { ip: Ip.parse("127.0.0.1"), port: socket.address().port };
  const flow = new UdpDatagrams(to, { clock: systemClock, idleMs: 60_000 });
  return {
    flow,
    received,
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

Deno.test("UdpDatagrams drops what it has no room for, and goes on", async () => {
  await using peer = await openPeer();
  const told = Array.from(
    { length: 300 },
    (_, i) => peer.flow.send(Uint8Array.of(i)),
  );
  assert.equal(told.filter(Boolean).length, 256);
  await until(() => peer.received.length === 256);
  assert.ok(peer.flow.send(Uint8Array.of(7)));
  await until(() => peer.received.length === 257);
});
