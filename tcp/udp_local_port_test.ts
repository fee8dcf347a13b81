import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip, systemClock } from "../net/mod.ts";
import { UdpLocalPort } from "./udp_local_port.ts";
import { UdpPeer } from "./udp_peer_fake.ts";
import { UdpSocket } from "./udp_socket.ts";

const loopback = Ip.parse("127.0.0.1");
const nothing = () => {};
const bytes = new TextEncoder().encode("stranger");

/** The number of a port, as a peer sees it. */
async function numberOf(port: UdpLocalPort, peer: UdpPeer): Promise<number> {
  const socket = new UdpSocket(peer.endpoint, nothing, port);
  socket.send(bytes);
  const { port: number } = await peer.next();
  await socket.close();
  return number;
}

Deno.test("UdpLocalPort takes back all that came to a socket before it was connected", async () => {
  await using peer = await UdpPeer.open();
  let heard = 0;
  const port = new UdpLocalPort({
    ...{ family: 4, clock: systemClock },
    onDatagram: () => heard++,
  });
  const number = await numberOf(port, peer);
  const stranger = new UdpSocket({ ip: loopback, port: number }, nothing);
  const bind = port.bind.bind(port);
  port.bind = (fd) => {
    bind(fd);
    for (let i = 0; i < 200; i++) stranger.send(bytes);
  };
  const socket = new UdpSocket(peer.endpoint, nothing, port);
  assert.equal(heard, 200);
  assert.equal(socket.receive(new Uint8Array(100)), "EAGAIN");
  await Promise.all([socket, stranger, port].map((one) => one.close()));
});

Deno.test("UdpLocalPort rests when strangers send too much, and hears again", async () => {
  await using peer = await UdpPeer.open();
  const clock = new FakeClock();
  let heard = 0;
  let wake = nothing;
  const port = new UdpLocalPort({
    ...{ family: 4, clock },
    onDatagram: () => {
      heard++;
      wake();
    },
  });
  const number = await numberOf(port, peer);
  const stranger = new UdpSocket({ ip: loopback, port: number }, nothing);
  const untilHeard = async (count: number) => {
    while (heard < count) {
      const more = new Promise<void>((resolve) => wake = resolve);
      stranger.send(bytes);
      await more;
    }
  };
  await untilHeard(257);
  for (let i = 0; i < 100; i++) stranger.send(bytes);
  // What is told of the socket is told of this one, too.
  const other = new UdpSocket(peer.endpoint, nothing);
  other.send(bytes);
  await peer.next();
  assert.equal(heard, 257);
  clock.advance(100);
  await untilHeard(300);
  await Promise.all([other, stranger, port].map((one) => one.close()));
});

Deno.test("UdpLocalPort of IPv6 hears nothing of IPv4", async () => {
  await using peer = await UdpPeer.open("::1");
  await using of4 = await UdpPeer.open();
  const heard: string[] = [];
  const all = Promise.withResolvers<void>();
  const port = new UdpLocalPort({
    ...{ family: 6, clock: systemClock },
    onDatagram: (_, { ip }) => {
      heard.push(String(ip));
      all.resolve();
    },
  });
  const number = await numberOf(port, peer);
  await of4.send("of IPv4", number);
  await using stranger = await UdpPeer.open("::1");
  await stranger.send("of IPv6", number);
  await all.promise;
  assert.deepEqual(heard, ["::1"]);
  await port.close();
});
