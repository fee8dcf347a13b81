import assert from "node:assert/strict";
import fc from "fast-check";
import { ConnResetError, RefusedError } from "../net/mod.ts";
import { ConnSource } from "./_byte_source.ts";
import { ChannelConn } from "./_channel.ts";
import { Outbox } from "./_outbox.ts";
import { cutAt, joined, piecesConn, utf8 } from "./_pieces_fake.ts";
import { WebSocketSink, WebSocketSource } from "./_websocket.ts";

/** A server's binary message on a channel. */
function message(channel: number, payload: Uint8Array | number[]): Uint8Array {
  return joined([0x82, payload.length + 1, channel], payload);
}

const ports = joined(message(0, [0xf2, 0x1c]), message(1, [0xf2, 0x1c]));
const close = new Uint8Array([0x88, 2, 0x03, 0xe8]);

async function open(pieces: Uint8Array[]) {
  const below = piecesConn(pieces);
  const sink = new WebSocketSink(new Outbox(below));
  const source = new WebSocketSource(new ConnSource(below, 512), sink);
  return {
    conn: await ChannelConn.open({ conn: below, source, sink }),
    below,
  };
}

async function readAll(conn: ChannelConn, roomBytes: number): Promise<string> {
  const into = new Uint8Array(roomBytes);
  let text = "";
  for (;;) {
    const count = await conn.read(into);
    if (count === null) return text;
    text += new TextDecoder().decode(into.subarray(0, count));
  }
}

Deno.test("ChannelConn gives what the data channel brings however it is cut", async () => {
  const wire = joined(
    ports,
    message(0, utf8("hello ")),
    message(0, []),
    message(4, utf8("of no concern")),
    joined([0x02, 4, 0], utf8("one")),
    joined([0x80, 3], utf8("two")),
    close,
  );
  const room = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), room, async (cuts, roomBytes) => {
      const { conn } = await open(cutAt(wire, cuts));
      assert.equal(await readAll(conn, roomBytes), "hello onetwo");
    }),
  );
});

Deno.test("ChannelConn.read() rejects with the pod's refusal", async () => {
  const text = "dial tcp4 127.0.0.1:81: connect: connection refused";
  const { conn } = await open([ports, message(1, utf8(text)), close]);
  await assert.rejects(
    readAll(conn, 9),
    (error) => error instanceof RefusedError && error.refusal === "refused",
  );
});

Deno.test("ChannelConn.open() rejects when the server hangs up before the ports", async () => {
  await assert.rejects(open([message(0, [0xf2, 0x1c])]), ConnResetError);
});

Deno.test("ChannelConn writes messages on the data channel", async () => {
  const { conn, below } = await open([ports]);
  assert.equal(await conn.write(utf8("hello")), 5);
  const [written] = below.written;
  const key = written!.subarray(2, 6);
  const payload = written!.slice(6).map((octet, i) => octet ^ key[i % 4]!);
  assert.deepEqual(payload, joined([0], utf8("hello")));
});
