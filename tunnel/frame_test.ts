/** One table of frames and their bytes, for both directions: encode and decode. */
import assert from "node:assert/strict";
import { Batch } from "./batch.ts";
import { FrameDecoder } from "./decoder.ts";
import { frameType, goawayReason, openFlag, resetReason } from "./frame.ts";
import { ProtocolError } from "./protocol_error.ts";
import { Recorder, type Told } from "./recorder_fake.ts";

interface Golden {
  name: string;
  bytes: string[];
  encode: (batch: Batch) => void;
  told: Told;
}

const golden: Golden[] = [
  {
    name: "RESUME",
    bytes: [
      "03", // type
      "000010", // length
      "00000009", // stream
      "0000000000000003", // received-to
      "0000000000010000", // may-send-to: 64 KiB
    ],
    encode: (batch) => batch.resume(9, 3, 64 * 1024),
    told: ["onResume", 9, 3, 64 * 1024],
  },
  {
    name: "OPEN of an urgent stream",
    bytes: [
      "04", // type
      "00000c", // length: 1 + 8 + 3
      "00000001", // stream
      "02", // flags: urgent
      "0000000000100000", // may-send-to: 1 MiB
      "616263", // target
    ],
    encode: (batch) =>
      batch.open(1, openFlag.urgent, 1024 * 1024, Uint8Array.of(97, 98, 99)),
    told: ["onOpen", 1, 2, 1024 * 1024, "616263"],
  },
  {
    name: "OPEN of datagrams with an empty target",
    bytes: [
      "04", // type
      "000009", // length
      "fffffffe", // stream: the highest of an acceptor
      "01", // flags: datagrams
      "0000000000000000", // may-send-to
    ],
    encode: (batch) =>
      batch.open(0xfffffffe, openFlag.datagrams, 0, new Uint8Array(0)),
    told: ["onOpen", 0xfffffffe, 1, 0, ""],
  },
  {
    name: "ACCEPT",
    bytes: [
      "05", // type
      "000008", // length
      "00000003", // stream
      "0000000000040000", // may-send-to: 256 KiB
    ],
    encode: (batch) => batch.accept(3, 256 * 1024),
    told: ["onAccept", 3, 256 * 1024],
  },
  {
    name: "REFUSE",
    bytes: [
      "06", // type
      "000009", // length
      "00000005", // stream
      "02", // refusal: unreachable
      "6e6f20726f757465", // detail: no route
    ],
    encode: (batch) => batch.refuse(5, "unreachable", "no route"),
    told: ["onRefuse", 5, "unreachable", "no route"],
  },
  {
    name: "DATA above 4 GiB",
    bytes: [
      "07", // type
      "00000a", // length: 8 + 2
      "01020304", // stream
      "0000000100000002", // offset: 2^32 + 2
      "beef", // bytes
    ],
    encode: (batch) =>
      batch.data(
        0x01020304,
        2 ** 32 + 2,
        Uint8Array.of(0, 0xbe, 0xef, 0),
        1,
        3,
      ),
    told: ["onData", 0x01020304, 2 ** 32 + 2, "beef"],
  },
  {
    name: "DATAGRAM",
    bytes: [
      "08", // type
      "000003", // length
      "00000007", // stream
      "0a0b0c", // the datagram
    ],
    encode: (batch) =>
      batch.bytes.set(Uint8Array.of(10, 11, 12), batch.datagram(7, 3)),
    told: ["onDatagram", 7, "0a0b0c"],
  },
  {
    name: "CREDIT at the highest offset",
    bytes: [
      "09", // type
      "000010", // length
      "00000002", // stream
      "00000000ffffffff", // received-to
      "001fffffffffffff", // may-send-to: 2^53 - 1
    ],
    encode: (batch) => batch.credit(2, 0xffffffff, 2 ** 53 - 1),
    told: ["onCredit", 2, 0xffffffff, 2 ** 53 - 1],
  },
  {
    name: "END",
    bytes: [
      "0a", // type
      "000010", // length
      "00000001", // stream
      "0000000000000005", // offset after the last byte
      "0000000000000007", // received-to
    ],
    encode: (batch) => batch.end(1, 5, 7),
    told: ["onEnd", 1, 5, 7],
  },
  {
    name: "RESET",
    bytes: [
      "0b", // type
      "000004", // length
      "00000001", // stream
      "03", // reason: closed
      "c3a4c2", // detail: ä, and half a character
    ],
    encode: (batch) => {
      batch.reset(1, resetReason.closed, "ä\u00a0");
      // Cuts the detail in the middle of a character, as a careless sender might.
      batch.length--;
      batch.bytes[3] = 4;
    },
    told: ["onReset", 1, 3, "ä\ufffd"],
  },
  {
    name: "PING",
    bytes: [
      "0c", // type
      "000008", // length
      "00000000", // no stream
      "0000000100000002", // of the sender's choice
    ],
    encode: (batch) => batch.ping(1, 2),
    told: ["onPing", 1, 2],
  },
  {
    name: "PONG",
    bytes: [
      "0d", // type
      "000008", // length
      "00000000", // no stream
      "ffffffff00000000", // the body of the PING
    ],
    encode: (batch) => batch.pong(0xffffffff, 0),
    told: ["onPong", 0xffffffff, 0],
  },
  {
    name: "GOAWAY",
    bytes: [
      "0e", // type
      "000004", // length
      "00000000", // no stream
      "01", // reason: closed
      "627965", // detail: bye
    ],
    encode: (batch) => batch.goaway(goawayReason.closed, "bye"),
    told: ["onGoaway", 1, "bye"],
  },
  {
    name: "MOVED",
    bytes: [
      "0f", // type
      "000005", // length
      "00000000", // no stream
      "01020304", // carrier
      "01", // phase: all is told
    ],
    encode: (batch) => batch.moved(0x01020304, 1),
    told: ["onMoved", 0x01020304, 1],
  },
];

for (const { name, bytes, encode, told } of golden) {
  Deno.test(`${name} is these bytes, and these bytes are it`, () => {
    const batch = new Batch(1024);
    encode(batch);
    const encoded = batch.bytes.slice(0, batch.length);
    assert.equal(encoded.toHex(), bytes.join(""));
    const recorder = new Recorder();
    const rest = new FrameDecoder().decode(
      encoded,
      0,
      encoded.length,
      recorder,
    );
    assert.equal(rest, encoded.length);
    assert.deepEqual(recorder.told, [told]);
  });
}

Deno.test("frames are the same wherever the carrier cuts them", () => {
  const all = Uint8Array.fromHex(golden.flatMap((one) => one.bytes).join(""));
  const recorder = new Recorder();
  const decoder = new FrameDecoder();
  let from = 0;
  for (let to = 0; to <= all.length; to++) {
    from = decoder.decode(all, from, to, recorder);
  }
  assert.equal(from, all.length);
  assert.deepEqual(recorder.told, golden.map((one) => one.told));
});

Deno.test("every type of frame but greetings is in the table", () => {
  const types = golden.map((one) => parseInt(one.bytes[0]!, 16));
  const { welcome, hello, join, ...others } = frameType;
  assert.deepEqual([...new Set(types)], Object.values(others));
  assert.deepEqual([welcome, hello, join], [1, 2, 16]);
});

Deno.test("a detail is cut to 1024 bytes between characters", () => {
  const batch = new Batch(4096);
  batch.refuse(1, "failed", "€".repeat(1000));
  const recorder = new Recorder();
  new FrameDecoder().decode(batch.bytes, 0, batch.length, recorder);
  assert.deepEqual(recorder.told, [
    ["onRefuse", 1, "failed", "€".repeat(341)],
  ]);
});

const breaches: [name: string, bytes: string, breach: string][] = [
  ["type 0", "00 000000 00000000", "bad-frame"],
  ["type 17", "11 000000 00000000", "bad-frame"],
  ["type 255", "ff ffffff ffffffff", "bad-frame"],
  [
    "a second WELCOME",
    `01 00002e 00000000 ${"00".repeat(46)}`,
    "unexpected-frame",
  ],
  [
    "a second HELLO",
    `02 000082 00000000 ${"00".repeat(130)}`,
    "unexpected-frame",
  ],
  [
    "JOIN behind the greeting",
    `10 00007d 00000000 ${"00".repeat(125)}`,
    "unexpected-frame",
  ],
  ["RESUME of stream 0", "03 000010 00000000", "bad-frame"],
  ["MOVED in a third phase", "0f 000005 00000000 00000001 02", "bad-frame"],
  ["OPEN without may-send-to", "04 000008 00000001", "bad-frame"],
  ["OPEN with a target too long", "04 00400a 00000001", "bad-frame"],
  [
    "OPEN with an unknown flag",
    `04 000009 00000001 04 ${"00".repeat(8)}`,
    "bad-frame",
  ],
  ["OPEN of stream 0", "04 000009 00000000", "bad-frame"],
  ["DATA without bytes", "07 000008 00000001", "bad-frame"],
  ["DATA too long", "07 010009 00000001", "bad-frame"],
  ["DATA at 2^53", "07 000009 00000001 0020000000000000", "bad-frame"],
  ["CREDIT to 2^64-1", `09 000010 00000001 ${"ff".repeat(16)}`, "bad-frame"],
  ["PING of a stream", "0c 000008 00000001", "bad-frame"],
  ["GOAWAY of 16 MiB", "0e ffffff 00000000", "bad-frame"],
];

for (const [name, hex, breach] of breaches) {
  Deno.test(`${name} is a breach, found before its body is there`, () => {
    const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    assert.throws(
      () => new FrameDecoder().decode(bytes, 0, bytes.length, new Recorder()),
      (error) => error instanceof ProtocolError && error.breach === breach,
    );
  });
}
