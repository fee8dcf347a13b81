import assert from "node:assert/strict";
import fc from "fast-check";
import { ConnResetError } from "../net/mod.ts";
import { ConnSource } from "./_byte_source.ts";
import { Outbox } from "./_outbox.ts";
import { cutAt, joined, piecesConn, utf8 } from "./_pieces_fake.ts";
import { WebSocketSink, WebSocketSource } from "./_websocket.ts";

/** A server's frame. */
function frame(first: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  return length < 126
    ? joined([first, length], payload)
    : joined([first, 126, length >> 8, length & 0xff], payload);
}

function open(pieces: Uint8Array[]) {
  const conn = piecesConn(pieces);
  const sink = new WebSocketSink(new Outbox(conn));
  const source = new WebSocketSource(new ConnSource(conn, 1024), sink);
  return { conn, sink, source };
}

/** All that comes, with `|` where a message starts. */
async function readAll(source: WebSocketSource): Promise<string> {
  let text = "";
  do {
    for (let bytes = source.peek(); bytes.length > 0; bytes = source.peek()) {
      if (source.startsMessage) text += "|";
      text += new TextDecoder().decode(bytes.subarray(0, 3));
      source.consume(Math.min(3, bytes.length));
    }
  } while (await source.fill());
  return text;
}

/** The payload of a client's short frame. */
function unmask(bytes: Uint8Array): Uint8Array {
  const key = bytes.subarray(2, 6);
  return bytes.slice(6).map((octet, i) => octet ^ key[i % 4]!);
}

const [binary, continued, final] = [2, 0, 0x80];
const long = "x".repeat(300);
const wire = joined(
  frame(final | binary, utf8("hello")),
  frame(final | 9, utf8("are you there")),
  frame(final | binary, utf8("")),
  frame(binary, utf8("one,")),
  frame(final | 10, utf8("unasked")),
  frame(continued, utf8("")),
  frame(continued, utf8("two,")),
  frame(final | continued, utf8("three")),
  frame(final | binary, utf8(long)),
  frame(final | 8, joined([0x03, 0xe8], utf8("bye"))),
  utf8("beyond the end"),
);

Deno.test("WebSocketSource gives the payloads of messages however they are cut, and answers pings", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat()), async (cuts) => {
    const { source, conn } = open(cutAt(wire, cuts));
    assert.equal(await readAll(source), `|hello|one,two,three|${long}`);
    await new Promise((resolve) => setTimeout(resolve));
    const [pong, close, ...more] = conn.written;
    assert.equal(pong![0], 0x8a);
    assert.deepEqual(unmask(pong!), utf8("are you there"));
    assert.equal(close![0], 0x88);
    assert.deepEqual(unmask(close!), new Uint8Array([0x03, 0xe8]));
    assert.deepEqual(more, []);
  }));
});

Deno.test("WebSocketSource tells why the server closed", async () => {
  const { source } = open([
    frame(final | 8, joined([0x03, 0xf3], utf8("lost the pod"))),
  ]);
  await assert.rejects(readAll(source), {
    name: "ConnResetError",
    message: "Cannot go on: closed by the server, code 1011: lost the pod",
  });
});

Deno.test("WebSocketSource ends or rejects with ConnResetError on any bytes", async () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  await fc.assert(fc.asyncProperty(bytes, async (garbage) => {
    await readAll(open([garbage]).source).catch((error) => {
      assert.ok(error instanceof ConnResetError, String(error));
    });
  }));
});

Deno.test("WebSocketSink sends one masked message in one write", async () => {
  const { sink, conn } = open([]);
  const buffer = joined(new Uint8Array(sink.headroom), utf8("hello"));
  await sink.send(buffer, sink.headroom, buffer.length);
  assert.equal(conn.written.length, 1);
  const [message] = conn.written;
  assert.deepEqual([...message!.subarray(0, 2)], [0x82, 0x85]);
  assert.deepEqual(unmask(message!), utf8("hello"));
});

Deno.test("WebSocketSink takes another mask for each message", async () => {
  const { sink, conn } = open([]);
  const buffer = new Uint8Array(sink.headroom);
  for (let i = 0; i < 300; i++) {
    await sink.send(buffer, sink.headroom, buffer.length);
  }
  const keys = new Set(conn.written.map((bytes) => String(bytes.slice(2))));
  assert.equal(keys.size, 300);
});
