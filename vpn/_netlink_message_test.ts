import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip, Subnet } from "../net/mod.ts";
import {
  address,
  decodeAddress,
  decodeMessages,
  decodeRoute,
  decodeRuleTable,
  encodeMessage,
  endOfAnswer,
  linkUp,
  nlm,
  route,
  rtm,
} from "./_netlink_message.ts";

const v4 = Subnet.parse("10.96.0.0/12");

/** Octets in hexadecimal, little-endian numbers. */
const golden: [string, Uint8Array, string][] = [
  [
    "a message with its header",
    encodeMessage({
      type: rtm.newLink,
      flags: nlm.request | nlm.ack,
      sequence: 3,
      body: Uint8Array.of(1, 2, 3, 4),
    }),
    "14000000" + // length
    "1000" + // RTM_NEWLINK
    "0500" + // NLM_F_REQUEST | NLM_F_ACK
    "03000000 00000000" + // sequence, port
    "01020304",
  ],
  [
    "linkUp()",
    linkUp(7, { mtu: 1500, queuePackets: 8192 }),
    "00000000 07000000" + // family, type; index
    "01000000 01000000" + // IFF_UP, and that it changes
    "0800 0400 dc050000" + // IFLA_MTU
    "0800 0d00 00200000", // IFLA_TXQLEN
  ],
  [
    "an IPv4 address",
    address(Ip.parse("198.18.0.1"), { prefix: 29, index: 7 }),
    "02 1d 00 00 07000000" + // AF_INET, /29, flags, scope, index
    "0800 0200 c6120001" + // IFA_LOCAL
    "0800 0100 c6120001", // IFA_ADDRESS
  ],
  [
    "an IPv6 address",
    address(Ip.parse("fd00::1"), { prefix: 64, index: 7 }),
    "0a 40 02 00 07000000" + // AF_INET6, /64, IFA_F_NODAD
    "1400 0200 fd000000000000000000000000000001" +
    "1400 0100 fd000000000000000000000000000001",
  ],
  [
    "a route through a device",
    route({ subnet: v4, index: 7, source: Ip.parse("198.18.0.1") }),
    "02 0c 00 00 fe 04 fd 01 00000000" + // /12, main, static, link, unicast
    "0800 0100 0a600000" + // RTA_DST
    "0800 0400 07000000" + // RTA_OIF
    "0800 0700 c6120001", // RTA_PREFSRC
  ],
  [
    "a route to nowhere",
    route({ subnet: Subnet.parse("fd00:1::/64"), metric: 4294967295 }),
    "0a 40 00 00 fe 04 00 07 00000000" + // /64, main, static, RTN_UNREACHABLE
    "1400 0100 fd000001000000000000000000000000" +
    "0800 0600 ffffffff", // RTA_PRIORITY
  ],
];

for (const [what, bytes, text] of golden) {
  Deno.test(`netlink: octets of ${what}`, () => {
    assert.equal(bytes.toHex(), text.replaceAll(" ", ""));
  });
}

Deno.test("decodeMessages() reads what the kernel sends in one datagram", () => {
  const first = { type: 24, flags: 2, sequence: 9, body: Uint8Array.of(1) };
  const done = { type: 3, flags: 2, sequence: 9, body: new Uint8Array(4) };
  // A message of 17 octets is followed by 3 of padding.
  const datagram = Uint8Array.of(
    ...encodeMessage(first),
    ...[0, 0, 0],
    ...encodeMessage(done),
  );
  assert.deepEqual(decodeMessages(datagram), [first, done]);
  assert.equal(endOfAnswer(first), undefined);
  assert.equal(endOfAnswer(done), 0);
});

Deno.test("endOfAnswer() tells success and the number of an error", () => {
  const answer = (text: string) =>
    endOfAnswer({
      type: 2,
      flags: 0,
      sequence: 1,
      body: Uint8Array.fromHex(text),
    });
  assert.equal(answer("00000000"), 0);
  assert.equal(answer("efffffff"), 17); // -EEXIST
});

Deno.test("decodeRoute() reads what route() writes, and tells what is on the link", () => {
  const ours = route({ subnet: v4, index: 7 });
  const [onLink, table] = [false, 254];
  assert.deepEqual(decodeRoute(ours), { subnet: v4, index: 7, onLink, table });
  const kernels = ours.slice();
  kernels[5] = 2; // RTPROT_KERNEL
  assert.equal(decodeRoute(kernels)!.onLink, true);
  const viaGateway = Uint8Array.of(
    ...kernels,
    ...Uint8Array.fromHex("08000500c0000201"), // RTA_GATEWAY
  );
  assert.equal(decodeRoute(viaGateway)!.onLink, false);
  const hostsOwn = ours.slice();
  hostsOwn[4] = 255; // table local
  assert.equal(decodeRoute(hostsOwn), undefined);
  const byDefault = Uint8Array.fromHex("0a000000fe0400010000000008000400")
    .slice(0, 12);
  assert.deepEqual(decodeRoute(byDefault), {
    subnet: Subnet.parse("::/0"),
    onLink: false,
    table: 254,
  });
});

Deno.test("decodeRuleTable() gives the tables that somebody has made", () => {
  const rules: [octets: string, table: number | undefined][] = [
    // struct fib_rule_hdr: family, two lengths, tos, table, two reserved, action, flags
    ["02 00 00 00 34 00 00 01 00000000", 52],
    ["0a 00 00 00 34 00 00 01 00000000", 52],
    ["02 00 00 00 fe 00 00 01 00000000", undefined],
    ["02 00 00 00 34 00 00 06 00000000", undefined], // unreachable
    ["02 00 00 00 fc 00 00 01 00000000 0800 0f00 6cca0000", 0xca6c], // FRA_TABLE
    ["02 00 00 00 34", undefined],
  ];
  for (const [octets, table] of rules) {
    const body = Uint8Array.fromHex(octets.replaceAll(" ", ""));
    assert.equal(decodeRuleTable(body), table, octets);
  }
});

Deno.test("decodeAddress() gives the subnet that the address is in", () => {
  const body = address(Ip.parse("192.168.1.7"), { prefix: 24, index: 2 });
  assert.deepEqual(decodeAddress(body), {
    subnet: Subnet.parse("192.168.1.0/24"),
    index: 2,
  });
});

Deno.test("netlink decoders survive any octets", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 96 }), (bytes) => {
      for (const message of decodeMessages(bytes)) endOfAnswer(message);
      decodeRoute(bytes);
      decodeRuleTable(bytes);
      decodeAddress(bytes);
    }),
    { numRuns: 2000 },
  );
});
