import assert from "node:assert/strict";
import { tcpFlags } from "../net/mod.ts";
import { packetOf } from "../net/packet/packet_fake.ts";
import {
  answer,
  FakeSwitch,
  icmp,
  lastHop,
  names,
  tcp,
  udp,
} from "./switch_fake.ts";

const { syn, ack } = tcpFlags;

/** Packets that go nowhere, and what counts them. */
const drops: { what: string; packet: Uint8Array; counted: string }[] = [
  {
    what: "a packet that is forwarded for somebody else",
    packet: tcp(4, { flags: syn, from: "172.17.0.2" }),
    counted: "dropped_foreign",
  },
  {
    what: "an IPv6 packet from a link-local address",
    packet: tcp(6, { flags: syn, from: "fe80::1" }),
    counted: "dropped_foreign",
  },
  {
    what: "an echo reply",
    packet: icmp(4, 0),
    counted: "dropped_unsupported",
  },
  {
    what: "an ICMP error",
    packet: icmp(4, 3),
    counted: "dropped_unsupported",
  },
  {
    what: "the IPv4 type of an echo request in IPv6",
    packet: icmp(6, 8),
    counted: "dropped_unsupported",
  },
  {
    what: "an echo request to many",
    packet: icmp(6, 128, "ff02::1"),
    counted: "dropped_unsupported",
  },
  {
    what: "multicast without a hop left",
    packet: lastHop(udp("224.0.0.251")),
    counted: "dropped_unsupported",
  },
  {
    what: "an ICMP error without a hop left",
    packet: lastHop(icmp(4, 11)),
    counted: "dropped_unsupported",
  },
  {
    what: "IPv4 multicast",
    packet: udp("224.0.0.251"),
    counted: "dropped_unsupported",
  },
  {
    what: "IPv4 broadcast",
    packet: udp("255.255.255.255"),
    counted: "dropped_unsupported",
  },
  {
    what: "IPv6 multicast",
    packet: udp("ff02::fb", names[6].laptop),
    counted: "dropped_unsupported",
  },
  {
    what: "half a TCP header",
    packet: packetOf({
      from: names[4].laptop,
      to: names[4].service,
      protocol: 6,
      transport: [1, 2, 3],
    }),
    counted: "dropped_malformed",
  },
  {
    what: "what is no IP packet",
    packet: new Uint8Array(60),
    counted: "dropped_malformed",
  },
  {
    what: "an answer of our listener to nobody",
    packet: answer(4, 4321, { flags: ack }),
    counted: "dropped_unknown_flow",
  },
  {
    what: "an app that talks to the peer itself",
    packet: tcp(4, { flags: syn, to: names[4].peer }),
    counted: "dropped_unknown_flow",
  },
];

for (const { what, packet, counted } of drops) {
  Deno.test(`PacketSwitch drops and counts ${what}`, () => {
    const fake = new FakeSwitch();
    assert.equal(fake.handle(packet), undefined);
    assert.equal(fake.ring.read(), undefined);
    assert.deepEqual(fake.counted, { [counted]: 1 });
  });
}
