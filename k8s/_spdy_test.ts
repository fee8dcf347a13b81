import assert from "node:assert/strict";
import fc from "fast-check";
import { type Conn, ConnResetError, RefusedError } from "../net/mod.ts";
import { ConnSource } from "./_byte_source.ts";
import { Outbox } from "./_outbox.ts";
import { cutAt, joined, piecesConn, utf8 } from "./_pieces_fake.ts";
import { SpdyConn } from "./_spdy.ts";
import { encodePing } from "./_spdy_frame.ts";

function control(type: number, fields: number[], flags = 0): Uint8Array {
  return joined([0x80, 3, 0, type, flags, 0, 0, fields.length], fields);
}

function data(stream: number, text: string, flags = 0): Uint8Array {
  const { length } = utf8(text);
  return joined(
    [0, 0, 0, stream, flags, 0, length >> 8, length & 0xff],
    utf8(text),
  );
}

const fin = 1;
const replies = joined(
  control(2, [0, 0, 0, 1, 0x78, 0x9c, 1, 2, 3]),
  control(2, [0, 0, 0, 3]),
);

async function open(
  pieces: Uint8Array[],
  options: { then?: "end" | "reset" } = {},
) {
  const below = piecesConn(pieces, options);
  const outbox = new Outbox(below);
  const conn = await SpdyConn.open({
    conn: below,
    source: new ConnSource(below, 512),
    sink: outbox,
    answer: (frame) => outbox.sendShort(frame),
  }, 7410);
  return { conn, below };
}

async function readAll(conn: Conn, roomBytes = 7): Promise<string> {
  const decoder = new TextDecoder();
  const into = new Uint8Array(roomBytes);
  let text = "";
  for (;;) {
    const count = await conn.read(into);
    if (count === null) return text;
    assert.ok(count > 0);
    text += decoder.decode(into.subarray(0, count), { stream: true });
  }
}

const long = "0123456789".repeat(40);

Deno.test("SpdyConn gives what the data stream brings however it is cut", async () => {
  const wire = joined(
    control(4, [0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 1, 0]), // SETTINGS
    replies,
    data(3, "hello "),
    control(6, [0, 0, 0, 2]), // PING of the server
    control(6, [0, 0, 0, 1]), // answer to none of ours
    data(3, ""),
    control(9, [0, 0, 0, 3, 0, 0, 1, 0]), // WINDOW_UPDATE
    data(3, long),
    control(7, [0, 0, 0, 3, 0, 0, 0, 0]), // GOAWAY
    data(5, "of no concern"),
    data(1, "", fin),
    data(3, " end", fin),
    data(3, "beyond the end"),
  );
  const cuts = fc.array(fc.nat());
  const room = fc.integer({ min: 1, max: 600 });
  await fc.assert(fc.asyncProperty(cuts, room, async (at, roomBytes) => {
    const { conn, below } = await open(cutAt(wire, at));
    const text = await readAll(conn, roomBytes);
    assert.equal(text, `hello ${long} end`);
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(below.written.slice(1), [encodePing(2)]);
  }));
});

Deno.test("SpdyConn.open() does not wait for the error stream's reply behind bytes of the pod", async () => {
  const { conn } = await open([
    control(2, [0, 0, 0, 3]),
    data(3, "early"),
    control(2, [0, 0, 0, 1]),
    data(3, " bird", fin),
  ]);
  assert.equal(await readAll(conn), "early bird");
});

Deno.test("SpdyConn.open() asks for an error stream that it ends at once, and a data stream", async () => {
  const { below } = await open([replies]);
  const [opening] = below.written;
  const text = new TextDecoder("latin1").decode(opening);
  assert.match(text, /streamtype.*error.*port.*7410.*requestid.*0/s);
  assert.match(text, /streamtype.*data.*port.*7410.*requestid.*0/s);
  assert.deepEqual([...opening!.subarray(0, 5)], [0x80, 3, 0, 1, fin]);
});

Deno.test("SpdyConn writes one data frame in one write, and its end as a frame", async () => {
  const { conn, below } = await open([replies]);
  assert.equal(await conn.write(utf8("hello")), 5);
  await conn.closeWrite();
  assert.deepEqual(below.written.slice(1), [
    data(3, "hello"),
    data(3, "", fin),
  ]);
});

Deno.test("SpdyConn writes no more at once than its buffer holds", async () => {
  const { conn, below } = await open([replies]);
  const written = await conn.write(new Uint8Array(1_000_000));
  assert.equal(written, 128 * 1024);
  assert.equal(below.written[1]!.length, 8 + written);
});

const refused = "dial tcp4 127.0.0.1:81: connect: connection refused";
const orders = {
  "the error comes first": [data(1, refused, fin), data(3, "", fin)],
  "the data stream ends first": [data(3, "", fin), data(1, refused, fin)],
  "the connection is cut": [data(1, refused)],
};

for (const [when, frames] of Object.entries(orders)) {
  Deno.test(`SpdyConn.read() rejects with the pod's refusal when ${when}`, async () => {
    const { conn } = await open([replies, ...frames]);
    await assert.rejects(readAll(conn), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.equal(error.refusal, "refused");
      assert.equal(error.message, refused);
      return true;
    });
    await assert.rejects(conn.write(utf8("x")), RefusedError);
  });
}

Deno.test("SpdyConn tells a break after bytes of the app as a reset", async () => {
  const { conn } = await open([
    replies,
    data(3, "some"),
    data(1, "lost connection to pod", fin),
  ]);
  await assert.rejects(readAll(conn), ConnResetError);
});

const breaks = {
  "the connection ends": { pieces: [replies, data(3, "some")] },
  "the connection is reset": {
    pieces: [replies, data(3, "some")],
    then: "reset",
  },
  "the stream is reset": {
    pieces: [replies, data(3, "some"), control(3, [0, 0, 0, 3, 0, 0, 0, 5])],
  },
  "another protocol follows": { pieces: [replies, utf8("\x80\x02 garbage")] },
} as const;

for (const [why, { pieces, ...options }] of Object.entries(breaks)) {
  Deno.test(`SpdyConn.read() rejects when ${why}`, async () => {
    const { conn } = await open([...pieces], options);
    await assert.rejects(readAll(conn), ConnResetError);
  });
}

Deno.test("SpdyConn.open() rejects when the server hangs up or resets a stream", async () => {
  await assert.rejects(open([]), ConnResetError);
  const rst = control(3, [0, 0, 0, 3, 0, 0, 0, 3]);
  await assert.rejects(open([rst]), ConnResetError);
});

Deno.test("SpdyConn.read() gives null when an app that never spoke ends", async () => {
  const { conn } = await open([replies, data(3, "", fin), data(1, "", fin)]);
  assert.equal(await readAll(conn), "");
});

Deno.test("SpdyConn ends or rejects with a known error on any bytes", async () => {
  const garbage = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.record({
        type: fc.integer({ min: 0, max: 10 }),
        fields: fc.array(fc.constantFrom(0, 1, 2, 3), { maxLength: 12 }),
        flags: fc.integer({ min: 0, max: 3 }),
      }).map(({ type, fields, flags }) => control(type, fields, flags)),
      fc.tuple(fc.constantFrom(1, 3, 5), fc.string(), fc.constantFrom(0, 1))
        .filter(([, text]) => text.length < 60)
        .map(([stream, text, flags]) => data(stream, text, flags)),
    ),
  );
  await fc.assert(fc.asyncProperty(garbage, async (frames) => {
    const { conn } = await open([replies, ...frames, data(1, "", fin)]);
    await readAll(conn).catch((error) => {
      const known = error instanceof ConnResetError ||
        error instanceof RefusedError;
      assert.ok(known, String(error));
    });
  }));
});
