import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip, Subnet } from "../net/mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MessageError,
  messageSize,
} from "./api.ts";
import { refusalCodes } from "./refusal.ts";

/** Octets as hexadecimal text; trailing zeros are left out. */
const golden: [Message, string][] = [
  [
    { kind: "hello", sequence: 1 },
    "02" + // version
    "01" + // hello
    "0001", // sequence
  ],
  [{ kind: "heartbeat", sequence: 0xfffe }, "02 02 fffe"],
  [
    {
      kind: "openDevice",
      sequence: 2,
      mtu: 1500,
      v4: Subnet.parse("198.18.0.8/29"),
      v6: Subnet.parse("fd00:1::/64"),
    },
    "02 03 0002" +
    "000005dc" + // MTU
    "04 1d 0000 c6120008 000000000000000000000000" + // IPv4, /29, address
    "06 40 0000 fd000001000000000000000000000000", // IPv6, /64, address
  ],
  [
    {
      kind: "openDevice",
      sequence: 3,
      mtu: 1280,
      v6: Subnet.parse("fd00::/64"),
    },
    "02 03 0003 00000500" +
    "0000000000000000000000000000000000000000" + // no IPv4
    "06 40 0000 fd",
  ],
  [
    { kind: "addRoute", sequence: 4, subnet: Subnet.parse("10.96.0.0/12") },
    "02 04 0004 00000000 04 0c 0000 0a60",
  ],
  [
    { kind: "deleteRoute", sequence: 5, subnet: Subnet.parse("fd10::/108") },
    "02 05 0005 00000000 06 6c 0000 fd10",
  ],
  [
    { kind: "setResolver", sequence: 6, nameserver: Ip.parse("198.18.0.11") },
    "02 06 0006 00000000 04 20 0000 c612000b",
  ],
  [{ kind: "restoreResolver", sequence: 7 }, "02 07 0007"],
  [{ kind: "welcome", sequence: 1 }, "02 08 0001"],
  [{ kind: "held", sequence: 1, uid: 1000 }, "02 09 0001 000003e8"],
  [
    { kind: "device", sequence: 2, name: "tp0" },
    "02 0a 0002 00000000" + "00".repeat(40) + "747030", // name
  ],
  [{ kind: "done", sequence: 4 }, "02 0b 0004"],
  [
    { kind: "refused", sequence: 4, code: "subnet-default" },
    "02 0c 0004 00000007", // place in the list of codes
  ],
  [
    { kind: "addZone", sequence: 5, zone: "web.svc", use: "search" },
    "02 0d 0005 00000001" + "00".repeat(56) + "7765622e737663", // name
  ],
  [
    { kind: "addZone", sequence: 6, zone: "svc", use: "ask" },
    "02 0d 0006 00000000" + "00".repeat(56) + "737663",
  ],
  [
    { kind: "addZone", sequence: 6, zone: "dev", use: "ask-top-level" },
    "02 0d 0006 00000002" + "00".repeat(56) + "646576",
  ],
  [
    { kind: "resolver", sequence: 7, reason: "plain" },
    "02 0e 0007 00000008", // place in the list of reasons
  ],
];

function octets(text: string): Uint8Array {
  const hex = text.replaceAll(" ", "").padEnd(2 * messageSize, "0");
  return Uint8Array.fromHex(hex);
}

for (const [message, text] of golden) {
  const what = JSON.stringify(message);
  Deno.test(`encodeMessage() and decodeMessage() agree on ${what}`, () => {
    assert.equal(encodeMessage(message).toHex(), octets(text).toHex());
    assert.deepEqual(decodeMessage(octets(text)), message);
  });
}

Deno.test("decodeMessage() refuses what encodeMessage() would not write", () => {
  const broken: [string, string][] = [
    ["version of another release", "01 01 0001"],
    ["kind 0", "02 00 0001"],
    ["unknown kind", "02 0f 0001"],
    ["stray octet after a hello", "02 01 0001 00000001"],
    ["route without a subnet", "02 04 0004"],
    ["route of an unknown family", "02 04 0004 00000000 05 08 0000 0a"],
    ["IPv4 prefix of 33 bits", "02 04 0004 00000000 04 21 0000 0a"],
    ["IPv6 prefix of 129 bits", "02 04 0004 00000000 06 81 0000 fd"],
    ["bits after the prefix", "02 04 0004 00000000 04 08 0000 0a000001"],
    [
      "octets after an IPv4 address",
      "02 04 0004 00000000 04 20 0000 0a00000001",
    ],
    ["IPv6 where IPv4 belongs", "02 03 0002 000005dc 06 40 0000 fd"],
    ["nameserver with a prefix", "02 06 0006 00000000 04 18 0000 0a"],
    ["unknown refusal", "02 0c 0004 000000ff"],
    ["device without a name", "02 0a 0002"],
    ["name with a slash", "02 0a 0002 00000000" + "00".repeat(40) + "2f"],
    ["zone without a name", "02 0d 0005 00000001"],
    ["zone of a fourth use", "02 0d 0005 00000003" + "00".repeat(56) + "61"],
    ["zone with a space", "02 0d 0005 00000001" + "00".repeat(56) + "6120"],
    [
      "zone of 254 octets",
      "02 0d 0005 00000001" + "00".repeat(56) + "61".repeat(254),
    ],
    ["unknown reason", "02 0e 0007 000000ff"],
    ["name with a hole", "02 0a 0002 00000000" + "00".repeat(40) + "740030"],
  ];
  for (const [what, text] of broken) {
    assert.throws(() => decodeMessage(octets(text)), MessageError, what);
  }
  for (const length of [0, messageSize - 1, messageSize + 1]) {
    assert.throws(() => decodeMessage(new Uint8Array(length)), MessageError);
  }
});

Deno.test("decodeMessage() survives any octets and reads nothing in two ways", () => {
  const start = fc.tuple(fc.constant(2), fc.integer({ min: 0, max: 16 }));
  const rest = fc.uint8Array({
    minLength: messageSize - 2,
    maxLength: messageSize - 2,
  });
  const sparse = fc.array(
    fc.tuple(
      fc.integer({ min: 2, max: messageSize - 1 }),
      fc.integer({ min: 0, max: 255 }),
    ),
    { maxLength: 8 },
  ).map((places) => {
    const bytes = new Uint8Array(messageSize - 2);
    for (const [at, octet] of places) bytes[at - 2] = octet;
    return bytes;
  });
  fc.assert(
    fc.property(start, fc.oneof(rest, sparse), (head, tail) => {
      const bytes = Uint8Array.of(...head, ...tail);
      let message: Message;
      try {
        message = decodeMessage(bytes);
      } catch (error) {
        assert.ok(error instanceof MessageError, String(error));
        return;
      }
      assert.deepEqual(encodeMessage(message), bytes);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("every refusal code travels", () => {
  for (const code of refusalCodes) {
    const message: Message = { kind: "refused", sequence: 9, code };
    assert.deepEqual(decodeMessage(encodeMessage(message)), message);
  }
});
