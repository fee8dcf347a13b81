import assert from "node:assert/strict";
import { protocols } from "./ip_packet.ts";
import { packetOf, viewOf } from "./packet_fake.ts";
import { isTcp, tcpFlags, tcpFlagsOf, writeTcpReset } from "./tcp.ts";

/** A segment from port 0x1234 to port 80, with sequence number 0x01020304. */
function segment(
  { flags, acknowledged = [0, 0, 0, 0], offset = 5, data = [] }: {
    flags: number;
    acknowledged?: number[];
    offset?: number;
    data?: number[];
  },
): Uint8Array {
  const ports = [0x12, 0x34, 0, 80];
  const rest = [offset << 4, flags, 0xff, 0xff, 0, 0, 0, 0];
  return packetOf({
    from: "10.0.0.1",
    to: "10.0.0.2",
    protocol: protocols.tcp,
    transport: [...ports, 1, 2, 3, 4, ...acknowledged, ...rest, ...data],
  });
}

const { syn, ack, fin, rst } = tcpFlags;

const resets: { of: string; packet: Uint8Array; reset: number[] }[] = [
  {
    of: "a SYN",
    packet: segment({ flags: syn }),
    reset: [
      ...[0, 80, 0x12, 0x34], // ports, swapped
      ...[0, 0, 0, 0], // sequence number: none
      ...[1, 2, 3, 5], // acknowledges the SYN
      ...[0x50, rst | ack, 0, 0, 0, 0, 0, 0], // five words, flags, window, checksum, urgent
    ],
  },
  {
    of: "a SYN with data",
    packet: segment({ flags: syn, data: [9, 9, 9] }),
    reset: [0, 80, 0x12, 0x34, 0, 0, 0, 0, 1, 2, 3, 8]
      .concat([0x50, rst | ack, 0, 0, 0, 0, 0, 0]),
  },
  {
    of: "data that acknowledges",
    packet: segment({ flags: ack, acknowledged: [5, 6, 7, 8], data: [9] }),
    reset: [0, 80, 0x12, 0x34, 5, 6, 7, 8, 0, 0, 0, 0]
      .concat([0x50, rst, 0, 0, 0, 0, 0, 0]),
  },
  {
    of: "a FIN without acknowledgement",
    packet: segment({ flags: fin }),
    reset: [0, 80, 0x12, 0x34, 0, 0, 0, 0, 1, 2, 3, 5]
      .concat([0x50, rst | ack, 0, 0, 0, 0, 0, 0]),
  },
];

for (const { of, packet, reset } of resets) {
  Deno.test(`writeTcpReset() answers ${of} as RFC 9293 says`, () => {
    const into = new Uint8Array(20).fill(0xee);
    assert.ok(writeTcpReset(into, 0, viewOf(packet)));
    assert.deepEqual([...into], reset);
  });
}

Deno.test("writeTcpReset() does not answer a reset", () => {
  const packet = viewOf(segment({ flags: rst | ack }));
  assert.equal(writeTcpReset(new Uint8Array(20), 0, packet), false);
});

Deno.test("isTcp() wants a whole header with its options", () => {
  assert.ok(isTcp(viewOf(segment({ flags: syn }))));
  assert.ok(
    isTcp(viewOf(segment({ flags: syn, offset: 6, data: [1, 1, 1, 0] }))),
  );
  assert.ok(!isTcp(viewOf(segment({ flags: syn, offset: 6 }))));
  assert.ok(!isTcp(viewOf(segment({ flags: syn, offset: 4 }))));
  assert.equal(tcpFlagsOf(viewOf(segment({ flags: syn | ack }))), syn | ack);
});
