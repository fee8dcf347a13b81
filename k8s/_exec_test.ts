import assert from "node:assert/strict";
import fc from "fast-check";
import { ConnResetError, RefusedError } from "../net/mod.ts";
import { ConnSource } from "./_byte_source.ts";
import { ExecConn } from "./_exec.ts";
import { Outbox } from "./_outbox.ts";
import { cutAt, joined, piecesConn, utf8 } from "./_pieces_fake.ts";
import { WebSocketSink, WebSocketSource } from "./_websocket.ts";

/** A server's binary message on a channel. */
function message(channel: number, text: string): Uint8Array {
  return joined([0x82, text.length + 1, channel], utf8(text));
}

const ready = message(1, "ready\n");
const close = new Uint8Array([0x88, 2, 0x03, 0xe8]);
const success = joined(message(3, '{"status":"Success"}'), close);
const exitCode = '{"status":"Failure","message":"exit code 1"}';
const failure = joined(message(3, exitCode), close);

async function open(
  pieces: Uint8Array[],
  { knowsEnds = true, isBridge = true } = {},
) {
  const below = piecesConn(pieces);
  const sink = new WebSocketSink(new Outbox(below));
  const source = new WebSocketSource(new ConnSource(below, 512), sink);
  const conn = await ExecConn.open({
    ...{ conn: below, source, sink, knowsEnds, isBridge },
  });
  return { conn, below };
}

async function readAll(conn: ExecConn, roomBytes: number): Promise<string> {
  const into = new Uint8Array(roomBytes);
  let text = "";
  for (;;) {
    const count = await conn.read(into);
    if (count === null) return text;
    text += new TextDecoder().decode(into.subarray(0, count));
  }
}

Deno.test("ExecConn gives what standard output brings behind the bridge's word, however it is cut", async () => {
  const wire = joined(
    // A server may begin with an empty message on each channel.
    ...[1, 2, 3].map((channel) => message(channel, "")),
    message(1, "rea"),
    message(1, "dy\nhello "),
    message(2, "a warning"),
    message(7, "of no concern"),
    message(1, "there"),
    success,
  );
  const room = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), room, async (cuts, roomBytes) => {
      const { conn } = await open(cutAt(wire, cuts));
      assert.equal(await readAll(conn, roomBytes), "hello there");
    }),
  );
});

const refusals: [string, Uint8Array[], RegExp][] = [
  ["the bridge's words", [message(2, "it broke"), failure], /^it broke$/],
  ["the server's words", [failure], /^exit code 1$/],
  ["an end at once", [success], /ended at once/],
];

for (const [what, pieces, words] of refusals) {
  Deno.test(`ExecConn.open() rejects with ${what}`, async () => {
    await assert.rejects(
      open(pieces),
      (error) => error instanceof RefusedError && words.test(error.message),
    );
  });
}

Deno.test("ExecConn.open() tells a port that nobody listens on", async () => {
  const words = message(2, "tp: Connection refused (os error 111)\n");
  await assert.rejects(
    open([words, failure]),
    (error) => error instanceof RefusedError && error.refusal === "refused",
  );
});

Deno.test("ExecConn.open() rejects what is no bridge, and a server that hangs up", async () => {
  for (const pieces of [[message(1, "hello\n")], [message(1, "rea")]]) {
    await assert.rejects(open(pieces), ConnResetError);
  }
});

Deno.test("ExecConn takes all that a command writes which is no bridge, up to its end", async () => {
  const into = new Uint8Array(64);
  const read = async (...pieces: Uint8Array[]) => {
    const { conn } = await open(pieces, { isBridge: false });
    const count = await conn.read(into);
    return count && new TextDecoder().decode(into.subarray(0, count));
  };
  assert.equal(await read(message(1, "A=b"), success), "A=b");
  assert.equal(await read(success), null);
  await assert.rejects(
    read(message(2, "cat: not found"), failure),
    (error) => error instanceof RefusedError && /not found/.test(error.message),
  );
});

Deno.test("ExecConn.read() rejects when the flow breaks off after its first byte", async () => {
  const begun = joined(ready, message(1, "hi"));
  const ends = [[failure], [message(2, "reset by peer"), failure], []];
  for (const end of ends) {
    const { conn } = await open([begun, ...end]);
    const into = new Uint8Array(9);
    assert.equal(await conn.read(into), 2);
    await assert.rejects(conn.read(into), ConnResetError);
  }
});

function unmasked(frame: Uint8Array): Uint8Array {
  const key = frame.subarray(2, 6);
  return frame.slice(6).map((octet, i) => octet ^ key[i % 4]!);
}

Deno.test("ExecConn writes standard input and, since v5, its end", async () => {
  for (const knowsEnds of [true, false]) {
    const { conn, below } = await open([ready], { knowsEnds });
    assert.equal(await conn.write(utf8("hello")), 5);
    await conn.closeWrite();
    const expected = [joined([0], utf8("hello"))];
    if (knowsEnds) expected.push(new Uint8Array([255, 0]));
    assert.deepEqual(below.written.map(unmasked), expected);
  }
});
