/** Speaks SPEC.md from raw bytes, without the code of this room. */
import assert from "node:assert/strict";
import { type Conn, type Refusal, RefusedError } from "../net/mod.ts";
import { connPair } from "../net/conn_fake.ts";
import type { Incoming, Session } from "./mod.ts";
import {
  ascii,
  bytes,
  frame,
  type RawFrame,
  RawPeer,
  u64,
  u8,
} from "./raw_peer_fake.ts";
import { acceptSession, until } from "./session_fake.ts";

const [open, accept, refuse, data, datagram] = [4, 5, 6, 7, 8];
const [credit, end, reset, ping, pong, goaway] = [9, 10, 11, 12, 13, 14];

/** A raw dialer and this room's acceptor that keeps what the dialer opens. */
async function rawDialer() {
  const [near, far] = connPair();
  const arrivals: Incoming[] = [];
  const accepting = acceptSession(far, {
    product: "tp/test",
    serve: (incoming) => void arrivals.push(incoming),
  });
  const raw = new RawPeer(near);
  await raw.greetAsDialer();
  const session = await accepting;
  return { raw, arrivals, session, [Symbol.asyncDispose]: () => end() };

  async function end() {
    near.reset();
    await session.ended;
  }
}

/** Opens stream `id` from the raw side with credit `maySendTo` and accepts it. */
async function openRaw(
  { raw, arrivals }: { raw: RawPeer; arrivals: Incoming[] },
  id: number,
  maySendTo: number,
): Promise<{ conn: Conn; credit: number }> {
  const before = arrivals.length;
  await raw.send(frame(open!, id, bytes(u8(0), u64(maySendTo), ascii("t"))));
  await until(() => arrivals.length > before);
  const conn = arrivals[before]!.accept();
  const answer = await raw.next();
  assert.equal(answer?.type, accept);
  assert.equal(answer.stream, id);
  return { conn, credit: readOffset(answer.body, 0) };
}

function readOffset(body: Uint8Array, at: number): number {
  return Number(new DataView(body.buffer, body.byteOffset).getBigUint64(at));
}

function assertFrame(got: RawFrame | null, type: number, stream: number) {
  assert.ok(got !== null, "the carrier ended");
  assert.deepEqual({ type: got.type, stream: got.stream }, { type, stream });
  return got.body;
}

async function nextIs(
  raw: RawPeer,
  type: number,
  stream: number,
  body: Uint8Array,
) {
  assert.deepEqual(assertFrame(await raw.next(), type, stream), body);
}

Deno.test("a whole stream by hand: OPEN, ACCEPT, DATA both ways, END both ways", async () => {
  await using it = await rawDialer();
  const { conn, credit } = await openRaw(it, 1, 100);
  assert.ok(credit >= 16 * 1024);
  assert.deepEqual(it.arrivals[0]!.target, ascii("t"));

  const buffer = new Uint8Array(100);
  await it.raw.send(frame(data!, 1, bytes(u64(0), ascii("ques"))));
  await it.raw.send(frame(data!, 1, bytes(u64(4), ascii("tion"))));
  await it.raw.send(frame(end!, 1, bytes(u64(8), u64(0))));
  let question = "";
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    question += new TextDecoder().decode(buffer.subarray(0, count));
  }
  assert.equal(question, "question");

  await conn.write(ascii("answer"));
  await nextIs(it.raw, data!, 1, bytes(u64(0), ascii("answer")));
  await conn.closeWrite();
  // END counts as one more byte: this acknowledges all and the END.
  await nextIs(it.raw, end!, 1, bytes(u64(6), u64(9)));
  assert.equal(it.session.stats().streams, 1);
  await it.raw.send(frame(credit!, 1, bytes(u64(7), u64(100))));
  await until(() => it.session.stats().streams === 0);
});

Deno.test("a sender stops at may-send-to and goes on with CREDIT", async () => {
  await using it = await rawDialer();
  const { conn } = await openRaw(it, 1, 3);
  const writing = conn.write(ascii("abcdef"));
  await nextIs(it.raw, data!, 1, bytes(u64(0), ascii("abc")));
  await it.raw.send(frame(credit!, 1, bytes(u64(3), u64(5))));
  await nextIs(it.raw, data!, 1, bytes(u64(3), ascii("de")));
  // A lower value has no effect.
  await it.raw.send(frame(credit!, 1, bytes(u64(4), u64(4))));
  await it.raw.send(frame(credit!, 1, bytes(u64(5), u64(100))));
  await nextIs(it.raw, data!, 1, bytes(u64(5), ascii("f")));
  assert.equal(await writing, 6);
});

Deno.test("CREDIT comes back when a sixteenth of the window is consumed", async () => {
  await using it = await rawDialer();
  const { conn, credit: window } = await openRaw(it, 1, 0);
  const piece = new Uint8Array(window / 16);
  await it.raw.send(frame(data!, 1, bytes(u64(0), piece)));
  await until(() => it.session.stats().unreadBytes === piece.length);
  for (let read = 0; read < piece.length;) {
    read += await conn.read(new Uint8Array(piece.length)) ?? 0;
  }
  const expected = bytes(u64(piece.length), u64(piece.length + window));
  await nextIs(it.raw, credit!, 1, expected);
});

Deno.test("PING is answered by what was received, then PONG", async () => {
  await using it = await rawDialer();
  const { conn, credit: window } = await openRaw(it, 1, 0);
  await it.raw.send(
    frame(data!, 1, bytes(u64(0), ascii("abc"))),
    frame(ping!, 0, bytes(u64(9))),
  );
  await nextIs(it.raw, credit!, 1, bytes(u64(3), u64(window)));
  await nextIs(it.raw, pong!, 0, bytes(u64(9)));
  await it.raw.send(frame(ping!, 0, bytes(u64(10))));
  await nextIs(it.raw, pong!, 0, bytes(u64(10)));
  conn.reset();
});

Deno.test("REFUSE carries the code of its refusal", async () => {
  await using it = await rawDialer();
  const codes = [
    ["refused", 1],
    ["unreachable", 2],
    ["timeout", 3],
    ["forbidden", 4],
    ["unknown-target", 5],
    ["overloaded", 6],
    ["gone", 7],
    ["failed", 8],
  ] as const;
  for (const [i, [refusal, code]] of codes.entries()) {
    const id = 1 + 2 * i;
    await it.raw.send(frame(open!, id, bytes(u8(0), u64(0))));
    await until(() => it.arrivals.length === i + 1);
    it.arrivals[i]!.refuse(refusal, "why");
    await nextIs(it.raw, refuse!, id, bytes(u8(code), ascii("why")));
  }
});

Deno.test("frames on a stream that is over are dropped without a word", async () => {
  await using it = await rawDialer();
  const { conn } = await openRaw(it, 1, 100);
  conn.reset();
  assertFrame(await it.raw.next(), reset!, 1);
  await it.raw.send(
    frame(data!, 1, bytes(u64(0), ascii("late"))),
    frame(credit!, 1, bytes(u64(0), u64(200))),
    frame(end!, 1, bytes(u64(4), u64(0))),
    frame(reset!, 1, bytes(u8(1))),
    frame(ping!, 0, bytes(u64(1))),
  );
  await nextIs(it.raw, pong!, 0, bytes(u64(1)));
});

Deno.test("close() of an end that was not told the other's END sends END and RESET closed", async () => {
  await using it = await rawDialer();
  const { conn } = await openRaw(it, 1, 100);
  await conn.write(ascii("bye"));
  conn.close();
  await nextIs(it.raw, data!, 1, bytes(u64(0), ascii("bye")));
  await nextIs(it.raw, end!, 1, bytes(u64(3), u64(0)));
  assert.equal(assertFrame(await it.raw.next(), reset!, 1)[0], 3);
});

const datagramResets: [code: number, Refusal | undefined][] = [
  [1, undefined],
  [5, "refused"],
  [6, "unreachable"],
  [99, undefined],
];
for (const [code, refusal] of datagramResets) {
  Deno.test(`RESET ${code} of datagrams is read as ${refusal ?? "the end of the flow"}, and told as ${refusal ? "itself" : "END"}`, async () => {
    await using it = await rawDialer();
    for (const id of [1, 3]) {
      await it.raw.send(frame(open!, id, bytes(u8(1), u64(0))));
      await until(() => it.arrivals.length === (id + 1) / 2);
    }
    const [first, second] = it.arrivals.map((one) => one.acceptDatagrams());
    await nextIs(it.raw, accept!, 1, bytes(u64(0)));
    await nextIs(it.raw, accept!, 3, bytes(u64(0)));
    const received = first!.receive(new Uint8Array(1));
    await it.raw.send(frame(reset!, 1, bytes(u8(code))));
    if (refusal === undefined) assert.equal(await received, null);
    else {
      await assert.rejects(
        received,
        (error) => error instanceof RefusedError && error.refusal === refusal,
      );
    }
    second!.close(refusal && new RefusedError(refusal, "no"));
    if (refusal === undefined) {
      await nextIs(it.raw, end!, 3, bytes(u64(0), u64(0)));
    } else await nextIs(it.raw, reset!, 3, bytes(u8(code)));
  });
}

Deno.test("datagrams travel whole, and END is answered by END", async () => {
  await using it = await rawDialer();
  await it.raw.send(frame(open!, 1, bytes(u8(1), u64(0), ascii("dns"))));
  await until(() => it.arrivals.length === 1);
  assert.equal(it.arrivals[0]!.datagrams, true);
  const flow = it.arrivals[0]!.acceptDatagrams();
  await nextIs(it.raw, accept!, 1, bytes(u64(0)));
  await it.raw.send(
    frame(datagram!, 1, ascii("one")),
    frame(datagram!, 1, bytes()),
  );
  const buffer = new Uint8Array(100);
  assert.equal(await flow.receive(buffer), 3);
  assert.equal(await flow.receive(buffer), 0);
  assert.equal(flow.send(ascii("two")), true);
  await nextIs(it.raw, datagram!, 1, ascii("two"));
  await it.raw.send(frame(end!, 1, bytes(u64(0), u64(0))));
  assert.equal(await flow.receive(buffer), null);
  await nextIs(it.raw, end!, 1, bytes(u64(0), u64(0)));
  assert.equal(it.session.stats().streams, 0);
});

Deno.test("the acceptor opens with even ids, in rising order", async () => {
  await using it = await rawDialer();
  const conns = [
    it.session.open(ascii("a"), { urgent: true }),
    it.session.open(ascii("b")),
  ];
  const first = assertFrame(await it.raw.next(), open!, 2);
  assert.equal(first[0], 2, "urgent");
  assert.deepEqual(first.slice(9), ascii("a"));
  const window = readOffset(first, 1);
  const second = assertFrame(await it.raw.next(), open!, 4);
  assert.equal(second[0], 0);
  await it.raw.send(
    frame(accept!, 2, bytes(u64(10))),
    frame(accept!, 4, bytes(u64(10))),
  );
  const [conn] = await Promise.all(conns);
  await conn!.write(ascii("hi"));
  await nextIs(it.raw, data!, 2, bytes(u64(0), ascii("hi")));
  assert.ok(window >= 16 * 1024);
});

Deno.test("GOAWAY is the peer's goodbye, and the carrier is closed at once", async () => {
  await using it = await rawDialer();
  const session: Session = it.session;
  await it.raw.send(frame(goaway!, 0, bytes(u8(1), ascii("lunch"))));
  assert.deepEqual(await session.ended, {
    reason: "peer-closed",
    detail: "lunch",
  });
  await assert.rejects(session.open(ascii("x")), {
    refusal: "gone",
    message: "lunch",
  });
  assert.equal(await it.raw.next(), null);
});

Deno.test("close() sends GOAWAY and then ends the carrier", async () => {
  await using it = await rawDialer();
  it.session.close();
  assert.equal(assertFrame(await it.raw.next(), goaway!, 0)[0], 1);
  assert.equal(await it.raw.next(), null);
});
