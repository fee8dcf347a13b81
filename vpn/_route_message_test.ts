import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip, Subnet } from "../net/mod.ts";
import {
  decodeRoutes,
  encodeRouteMessage,
  messageTypes,
} from "./_route_message.ts";

const metrics = "00".repeat(56);

/** Octets in hexadecimal, little-endian numbers. */
const golden: [string, Uint8Array, string][] = [
  [
    "a route through a device",
    encodeRouteMessage({
      type: messageTypes.add,
      subnet: Subnet.parse("10.96.0.0/12"),
      index: 17,
      sequence: 3,
    }),
    "9000 05 01" + // length, RTM_VERSION, RTM_ADD
    "1100 0000 01080000" + // index; RTF_UP | RTF_STATIC
    "07000000 00000000 03000000" + // destination, gateway, netmask; process, sequence
    "00000000 00000000 00000000" + metrics + // error, use, metrics that are set
    "10 02 0000 0a600000 0000000000000000" +
    "14 12 1100" + "00".repeat(16) + // length, AF_LINK, index
    "10 02 0000 fff00000 0000000000000000",
  ],
  [
    "a route that refuses, of one address",
    encodeRouteMessage({
      type: messageTypes.add,
      subnet: Subnet.parse("198.18.0.3/32"),
      sequence: 4,
    }),
    "7c00 05 01" +
    "0000 0000 0f080000" + // RTF_UP | RTF_GATEWAY | RTF_HOST | RTF_REJECT | RTF_STATIC
    "03000000 00000000 04000000" +
    "00000000 00000000 00000000" + metrics +
    "10 02 0000 c6120003 0000000000000000" +
    "10 02 0000 7f000001 0000000000000000",
  ],
];

for (const [name, bytes, hex] of golden) {
  Deno.test(`${name} is as the kernel expects it`, () => {
    assert.equal(bytes.toHex(), hex.replaceAll(" ", ""));
  });
}

/** A message of a dump: `NET_RT_DUMP` tells of each route as `RTM_GET`. */
function dumped(
  { flags, index, addresses, present = 7 }: {
    flags: number;
    index: number;
    addresses: string;
    present?: number;
  },
): Uint8Array {
  const tail = Uint8Array.fromHex(addresses.replaceAll(" ", ""));
  const bytes = new Uint8Array(92 + tail.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length, true);
  bytes.set([5, 4], 2);
  view.setUint16(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, present, true);
  bytes.set(tail, 92);
  return bytes;
}

const toV6 = (address: string) => `1c1e0000 00000000 ${address} 00000000`;
const link = "14120400 06000000 00000000 00000000 00000000";

/** Flags and masks in the form in which the kernel shortens them. */
const table: [string, Uint8Array, string[]][] = [
  [
    "a default route, whose mask has no length",
    dumped({
      flags: 0x803,
      index: 4,
      addresses:
        "10020000 00000000 0000000000000000 10020000 c0a80101 0000000000000000 00000000",
    }),
    ["0.0.0.0/0 4 192.168.1.1"],
  ],
  [
    "a link, whose mask ends at its last octet and begins with anything",
    dumped({
      flags: 0x101,
      index: 4,
      addresses: `10020000 c0a80100 0000000000000000 ${link} 07ffffff ffffff00`,
    }),
    ["192.168.1.0/24 4"],
  ],
  [
    "a tunnel's route, whose link has a name",
    dumped({
      flags: 0x801,
      index: 33,
      addresses:
        "10020000 0a6e0000 0000000000000000 14122100 01080000 7574756e 34333139 00000000 06020000 ffff0000",
    }),
    ["10.110.0.0/16 33"],
  ],
  [
    "a single address",
    dumped({
      flags: 0x807,
      index: 4,
      present: 3,
      addresses:
        "10020000 c0000207 0000000000000000 10020000 c0a80101 0000000000000000",
    }),
    ["192.0.2.7/32 4 192.168.1.1"],
  ],
  [
    "a default route of IPv6, whose router is of a link",
    dumped({
      flags: 0x803,
      index: 4,
      addresses: `${toV6("00".repeat(16))} ${
        toV6("fe800004 00000000 00d04cff fe1015d2")
      } 021e0000`,
    }),
    ["::/0 4 fe80::d0:4cff:fe10:15d2"],
  ],
  [
    "a subnet of IPv6",
    dumped({
      flags: 0x801,
      index: 33,
      addresses: `${
        toV6("fd841b4e 62810000 00000000 00000000")
      } ${link} 0e1e0000 00000000 ffffffff ffff0000`,
    }),
    ["fd84:1b4e:6281::/48 33"],
  ],
  [
    "a link-local subnet, in which the kernel writes the interface",
    dumped({
      flags: 0x101,
      index: 4,
      addresses: `${
        toV6("fe800004 00000000 00000000 00000000")
      } ${link} 101e0000 00000000 ffffffff ffffffff`,
    }),
    ["fe80::/64 4"],
  ],
  [
    "a route that refuses",
    dumped({
      flags: 0x80b,
      index: 1,
      addresses:
        "10020000 c6120000 0000000000000000 10020000 7f000001 0000000000000000 08020000 fffffff8",
    }),
    ["198.18.0.0/29 1 127.0.0.1 reject"],
  ],
  ...[
    ["a neighbour", 0x20405],
    ["the host's own address", 0x200805],
    ["a broadcast", 0x400105],
    ["a multicast", 0x800105],
    ["a default route for one interface", 0x1000803],
    ["a route that is not up", 0x802],
  ].map(([what, flags]): [string, Uint8Array, string[]] => [
    String(what),
    dumped({
      flags: Number(flags),
      index: 4,
      present: 3,
      addresses: `10020000 c0a80106 0000000000000000 ${link}`,
    }),
    [],
  ]),
];

for (const [what, bytes, routes] of table) {
  Deno.test(`decodeRoutes() of ${what}: ${routes.join() || "none"}`, () => {
    assert.deepEqual(textOf(bytes), routes);
  });
}

Deno.test("decodeRoutes() reads a dump to its end, over messages of other forms", () => {
  const other = Uint8Array.of(8, 0, 4, 4, 1, 2, 3, 4);
  const all = table.map(([, bytes]) => [...bytes, ...other]).flat();
  assert.deepEqual(
    textOf(Uint8Array.from(all)),
    table.flatMap(([, , routes]) => routes),
  );
});

Deno.test("decodeRoutes() reads what encodeRouteMessage() writes", () => {
  const subnets = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })),
  ).map(([text, prefix]) => new Subnet(Ip.parse(text), prefix))
    .filter(({ base }) => !base.isLinkLocal && base.bytes[0] !== 0xff);
  fc.assert(fc.property(subnets, (subnet) => {
    const change = { type: messageTypes.add, subnet, index: 7, sequence: 1 };
    const [route] = decodeRoutes(encodeRouteMessage(change));
    assert.equal(String(route?.subnet), String(subnet));
    assert.equal(route?.index, 7);
  }));
});

Deno.test("decodeRoutes() takes any octets", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
    for (const length of [bytes.length, 92, 108]) {
      if (bytes.length < 3) break;
      bytes.set([length & 255, length >> 8, 5]);
      decodeRoutes(bytes);
    }
  }));
});

function textOf(bytes: Uint8Array): string[] {
  return decodeRoutes(bytes).map(({ subnet, index, gateway, isReject }) =>
    [subnet, index, ...gateway ? [gateway] : [], ...isReject ? ["reject"] : []]
      .join(" ")
  );
}
