import assert from "node:assert/strict";
import fc from "fast-check";
import { joined } from "./_pieces_fake.ts";
import { decodeFrameHeader, encodeFrame, opcodes } from "./_websocket_frame.ts";

/** 0x04030201 in memory order on a little-endian machine. */
const key = 0x04030201;

Deno.test("encodeFrame() writes the bytes that RFC 6455 wants", () => {
  const buffer = joined(new Uint8Array(16), [0x10, 0x20, 0x30, 0x40, 0x50]);
  const options = { opcode: opcodes.binary, from: 16, to: 21, key };
  const start = encodeFrame(buffer, options);
  assert.deepEqual(
    buffer.subarray(start),
    new Uint8Array([
      ...[0x82], // final, binary
      ...[0x85], // masked, 5 octets
      ...[0x01, 0x02, 0x03, 0x04], // key
      ...[0x11, 0x22, 0x33, 0x44, 0x51], // payload XOR key
    ]),
  );
});

const lengths = [
  { length: 0, header: [0x82, 0x80] },
  { length: 125, header: [0x82, 0xfd] },
  { length: 126, header: [0x82, 0xfe, 0x00, 0x7e] },
  { length: 65535, header: [0x82, 0xfe, 0xff, 0xff] },
  {
    length: 65536,
    header: [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0],
  },
];

Deno.test("encodeFrame() and decodeFrameHeader() agree on all forms of length", () => {
  for (const { length, header } of lengths) {
    const buffer = new Uint8Array(16 + length);
    const to = 16 + length;
    const start = encodeFrame(buffer, {
      opcode: opcodes.binary,
      from: 16,
      to,
      key: 0,
    });
    const bytes = buffer.subarray(start, start + header.length);
    assert.deepEqual(bytes, new Uint8Array(header));
    // A server's header is the same without mask bit and key.
    const unmasked = bytes.slice();
    unmasked[1]! &= 0x7f;
    const decoded = decodeFrameHeader(unmasked);
    assert.deepEqual(decoded, {
      final: true,
      opcode: opcodes.binary,
      length,
      size: header.length,
    });
    const cut = unmasked.subarray(0, -1);
    assert.equal(decodeFrameHeader(cut), undefined);
  }
});

Deno.test("encodeFrame() masks like the plain way, wherever the payload lies", () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 70 }),
    fc.integer({ min: 14, max: 21 }),
    fc.integer(),
    (payload, from, key) => {
      const buffer = joined(new Uint8Array(from), payload);
      const to = buffer.length;
      encodeFrame(buffer, { opcode: opcodes.binary, from, to, key });
      const keyBytes = new Uint8Array(new Int32Array([key]).buffer);
      const plain = payload.map((octet, i) => octet ^ keyBytes[i % 4]!);
      assert.deepEqual(buffer.subarray(from), plain);
      assert.deepEqual(buffer.subarray(from - 4, from), keyBytes);
    },
  );
  fc.assert(property);
});

Deno.test("decodeFrameHeader() refuses what a server must not send", () => {
  const bad = {
    "reserved bits": [0xc2, 0x00],
    "masked": [0x82, 0x80],
    "a long ping": [0x89, 0x7e, 0x00, 0x7e],
    "a ping in parts": [0x09, 0x00],
    "too long": [0x82, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 0],
  };
  for (const [name, bytes] of Object.entries(bad)) {
    assert.throws(
      () => decodeFrameHeader(new Uint8Array(bytes)),
      RangeError,
      name,
    );
  }
});
