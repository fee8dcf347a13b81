import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeSftp, SftpReader, sftpTypes } from "./sftp_packet.ts";

const handle = Uint8Array.of(0xab, 0xcd);

/** The draft's sections 4 and 6, byte by byte. */
const golden: [name: string, packet: Uint8Array, bytes: number[]][] = [
  ["INIT", encodeSftp(sftpTypes.init, [3]), [
    ...[0, 0, 0, 5], // length
    1, // SSH_FXP_INIT
    ...[0, 0, 0, 3], // version
  ]],
  ["READ", encodeSftp(sftpTypes.read, [7, handle, 2n ** 32n, 512]), [
    ...[0, 0, 0, 23], // length
    5, // SSH_FXP_READ
    ...[0, 0, 0, 7], // id
    ...[0, 0, 0, 2, 0xab, 0xcd], // handle
    ...[0, 0, 0, 1, 0, 0, 0, 0], // offset
    ...[0, 0, 2, 0], // bytes wanted
  ]],
  ["STAT", encodeSftp(sftpTypes.stat, [8, "/ä"]), [
    ...[0, 0, 0, 12], // length
    17, // SSH_FXP_STAT
    ...[0, 0, 0, 8], // id
    ...[0, 0, 0, 3, 0x2f, 0xc3, 0xa4], // path
  ]],
];

for (const [name, packet, bytes] of golden) {
  Deno.test(`encodeSftp() writes ${name} as the draft has it`, () => {
    assert.deepEqual([...packet], bytes);
  });
}

Deno.test("SftpReader.attributes() reads what is there and passes over the rest", () => {
  const bytes = Uint8Array.from([
    ...[0x80, 0, 0, 0x0f], // flags: all of them
    ...[0, 0, 0, 1, 0, 0, 0, 2], // size
    ...[0, 0, 0x10, 0x92, 0, 0, 0x10, 0x92], // uid, gid
    ...[0, 0, 0x81, 0x80], // permissions: a file, 0600
    ...[0, 0, 0, 9, 0, 0, 0, 10], // atime, mtime
    ...[0, 0, 0, 1], // count of what more there is
    ...[0, 0, 0, 1, 0x61, 0, 0, 0, 1, 0x62], // type, data
    ...[0, 0, 0, 42], // the next field of the packet
  ]);
  const reader = new SftpReader(bytes);
  assert.deepEqual(reader.attributes(), {
    size: 2 ** 32 + 2,
    mode: 0o100600,
    modified: 10,
  });
  assert.equal(reader.number(), 42);
});

Deno.test("SftpReader reads back what encodeSftp() writes", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(fc.property(
    fc.nat(),
    text,
    fc.uint8Array(),
    (number, text, octets) => {
      const packet = encodeSftp(sftpTypes.open, [number, text, octets]);
      const reader = new SftpReader(packet);
      assert.equal(reader.number(), packet.length - 4);
      assert.equal(reader.byte(), sftpTypes.open);
      assert.equal(reader.number(), number);
      assert.equal(reader.text(), text);
      assert.deepEqual(reader.octets(), octets);
    },
  ));
});

Deno.test("SftpReader ends with a RangeError whatever the bytes are", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const reader = new SftpReader(bytes);
    assert.throws(() => {
      for (;;) {
        reader.attributes();
        reader.octets();
      }
    }, RangeError);
  }));
});
