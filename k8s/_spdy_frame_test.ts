import assert from "node:assert/strict";
import { constants, inflateSync } from "node:zlib";
import { joined, utf8 } from "./_pieces_fake.ts";
import {
  decodeSpdyHeader,
  encodeDataHeader,
  encodePing,
  encodeSynStream,
  flagFin,
} from "./_spdy_frame.ts";

const synStream = joined(
  ...[[0x80, 0x03]], // control, version 3
  ...[[0x00, 0x01]], // SYN_STREAM
  ...[[0x01]], // flags: FIN
  ...[[0x00, 0x00, 0x28]], // length 40
  ...[[0x00, 0x00, 0x00, 0x01]], // stream 1
  ...[[0x00, 0x00, 0x00, 0x00]], // associated with none
  ...[[0x00, 0x00]], // priority, slot
  ...[[0x78, 0x01]], // zlib: deflate, fastest
  ...[[0x00, 0x12, 0x00, 0xed, 0xff]], // stored block, 18 octets
  ...[[0x00, 0x00, 0x00, 0x01]], // one header
  ...[[0x00, 0x00, 0x00, 0x04], utf8("port")], // its name
  ...[[0x00, 0x00, 0x00, 0x02], utf8("80")], // its value
  ...[[0x00, 0x00, 0x00, 0xff, 0xff]], // empty stored block: flush
);

Deno.test("encodeSynStream() writes the bytes that SPDY/3.1 wants", () => {
  const headers = { port: "80" };
  assert.deepEqual(
    encodeSynStream({ stream: 1, flags: flagFin, headers, first: true }),
    synStream,
  );
});

Deno.test("encodeSynStream() writes header blocks that one inflater reads in turn", () => {
  const blocks = [
    { headers: { streamtype: "error", port: "8080" }, first: true },
    { headers: { streamtype: "data", port: "8080" }, first: false },
  ].map((one, i) => encodeSynStream({ stream: 2 * i + 1, ...one }).slice(18));
  const text = new TextDecoder().decode(
    inflateSync(joined(...blocks), { finishFlush: constants.Z_SYNC_FLUSH }),
  );
  assert.match(text, /streamtype.*error.*port.*8080.*streamtype.*data/s);
});

Deno.test("encodePing() writes the bytes that SPDY/3.1 wants", () => {
  assert.deepEqual(
    encodePing(0x01020304),
    joined(
      [0x80, 0x03, 0x00, 0x06], // control, version 3, PING
      [0x00, 0x00, 0x00, 0x04], // no flags, length 4
      [0x01, 0x02, 0x03, 0x04], // id
    ),
  );
});

const headers = [
  {
    bytes: [0x00, 0x00, 0x00, 0x03, 0x01, 0x02, 0x03, 0x04],
    header: { control: false, stream: 3, flags: 1, length: 0x020304 },
  },
  {
    bytes: [0x7f, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff, 0xff],
    header: { control: false, stream: 0x7fffffff, flags: 0, length: 0xffffff },
  },
  {
    bytes: [0x80, 0x03, 0x00, 0x03, 0x00, 0x00, 0x00, 0x08],
    header: { control: true, type: 3, flags: 0, length: 8 },
  },
];

Deno.test("decodeSpdyHeader() and encodeDataHeader() agree", () => {
  for (const { bytes, header } of headers) {
    const decoded = decodeSpdyHeader(new Uint8Array(bytes));
    assert.deepEqual(decoded, header);
    if (decoded.control) continue;
    const buffer = new Uint8Array(10);
    encodeDataHeader(buffer, { at: 1, ...decoded });
    assert.deepEqual([...buffer], [0, ...bytes, 0]);
  }
});

Deno.test("decodeSpdyHeader() refuses another version", () => {
  const bytes = new Uint8Array([0x80, 0x02, 0, 1, 0, 0, 0, 0]);
  assert.throws(() => decodeSpdyHeader(bytes), RangeError);
});
