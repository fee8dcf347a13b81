/** Speaks from raw bytes how one stream moves alone; SPEC.md section 7. */
import assert from "node:assert/strict";
import { ConnResetError } from "../net/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import {
  ascii,
  bytes,
  frame,
  type RawPeer,
  u32,
  u64,
  u8,
} from "./raw_peer_fake.ts";
import {
  dataAt,
  frameTypes,
  isMoved,
  isQuiet,
  nextIs,
  opened,
  rawAcceptor,
  rawDialer,
  resumed,
} from "./raw_session_fake.ts";
import { textOf, until } from "./session_fake.ts";

const { resume, open, accept, data, credit, end, reset, moved } = frameTypes;

async function read(conn: { read(into: Uint8Array): Promise<number | null> }) {
  const buffer = new Uint8Array(100);
  const count = await conn.read(buffer);
  return count === null ? null : textOf(buffer.subarray(0, count));
}

/** A raw dialer with streams 1 and 3 on its first carrier, and a second one. */
async function twoStreams() {
  const it = await rawDialer();
  await it.first.send(opened(1), opened(3));
  await until(() => it.arrivals.length === 2);
  const [one, three] = it.arrivals.map((arrival) => arrival.accept());
  await nextIs(it.first, accept, 1);
  await nextIs(it.first, accept, 3);
  const second = it.carrier();
  await second.joinAsDialer(it.key, 2);
  return Object.assign(it, { one: one!, three: three!, second });
}

Deno.test("one stream moves alone: what was lost comes again, the others stay", async () => {
  await using it = await twoStreams();
  await it.first.send(dataAt(1, 0, "abc"));
  assert.equal(await read(it.one), "abc");
  await it.one.write(ascii("hello"));
  await nextIs(it.first, data, 1, bytes(u64(0), ascii("hello")));

  // Of "hello", "he" has come.
  await it.second.send(resumed(1, 2));
  const told = await nextIs(it.second, resume, 1);
  assert.deepEqual(told.slice(0, 8), bytes(u64(3)));
  await nextIs(it.second, data, 1, bytes(u64(2), ascii("llo")));
  await it.second.send(dataAt(1, 3, "def"));
  assert.equal(await read(it.one), "def");

  await it.first.send(dataAt(3, 0, "xyz"));
  assert.equal(await read(it.three), "xyz");
  await it.three.write(ascii("hi"));
  await nextIs(it.first, data, 3, bytes(u64(0), ascii("hi")));
  assert.equal(it.session.stats().movedStreams, 1);
  assert.equal(it.session.stats().moves, 0);
});

/** Each would break the stream, or the session, if it were not late. */
const lateFrames: [string, Uint8Array][] = [
  ["DATA", dataAt(1, 0, "late")],
  ["CREDIT", frame(credit, 1, bytes(u64(1000), u64(0)))],
  ["END", frame(end, 1, bytes(u64(0), u64(0)))],
  ["RESET", frame(reset, 1, bytes(u8(1)))],
  ["RESET closed", frame(reset, 1, bytes(u8(3)))],
];

Deno.test("what comes late on the carrier that a stream has left is dropped", async () => {
  for (const [name, late] of lateFrames) {
    await using it = await twoStreams();
    await it.second.send(resumed(1, 0));
    await nextIs(it.second, resume, 1);
    await it.second.send(dataAt(1, 0, "abc"));
    assert.equal(await read(it.one), "abc", name);
    await it.first.send(late);
    await isQuiet(it.first);
    await it.second.send(dataAt(1, 3, "def"));
    assert.equal(await read(it.one), "def", name);
  }
});

Deno.test("a stream comes back to a carrier on which late frames of it are under way", async () => {
  await using it = await twoStreams();
  await it.second.send(resumed(1, 0));
  await nextIs(it.second, resume, 1);
  await it.second.send(dataAt(1, 0, "abc"));
  assert.equal(await read(it.one), "abc");
  await it.first.send(dataAt(1, 0, "late"), resumed(1, 0));
  const told = await nextIs(it.first, resume, 1);
  assert.deepEqual(told.slice(0, 8), bytes(u64(3)));
  await it.second.send(dataAt(1, 3, "late"));
  await isQuiet(it.second);
  await it.first.send(dataAt(1, 3, "def"));
  assert.equal(await read(it.one), "def");
  await it.one.write(ascii("hi"));
  await nextIs(it.first, data, 1, bytes(u64(0), ascii("hi")));
});

Deno.test("a carrier is moved behind a stream that has just left it", async () => {
  await using it = await twoStreams();
  await it.second.send(
    resumed(1, 0),
    isMoved(1, 0),
    resumed(3, 0),
    isMoved(1, 1),
  );
  await nextIs(it.second, resume, 1);
  await nextIs(it.second, resume, 3);
  await nextIs(it.second, moved, 0, bytes(u32(1), u8(1)));
  await it.second.send(dataAt(1, 0, "abc"), dataAt(3, 0, "xyz"));
  assert.equal(await read(it.one), "abc");
  assert.equal(await read(it.three), "xyz");
});

Deno.test("RESUME on the carrier on which the stream is, after a change that got lost, is answered", async () => {
  await using it = await twoStreams();
  await it.first.send(isMoved(2, 0), resumed(1, 0), isMoved(2, 1));
  await nextIs(it.first, resume, 1);
  await nextIs(it.first, moved, 0, bytes(u32(2), u8(1)));
  await it.first.send(dataAt(1, 0, "abc"));
  assert.equal(await read(it.one), "abc");
});

Deno.test("a stream that the acceptor opened moves alone, too", async () => {
  await using it = await twoStreams();
  const opening = it.session.open(ascii("own"));
  const onFirst = await Promise.race([
    nextIs(it.first, open, 2).then(() => true),
    nextIs(it.second, open, 2).then(() => false),
  ]);
  assert.ok(onFirst);
  await it.first.send(frame(accept, 2, bytes(u64(100))), dataAt(2, 0, "abc"));
  const own = await opening;
  assert.equal(await read(own), "abc");
  const third = it.carrier();
  await third.joinAsDialer(it.key, 3);
  await third.send(resumed(2, 0));
  await nextIs(third, resume, 2);
  await third.send(dataAt(2, 3, "def"));
  assert.equal(await read(own), "def");
});

Deno.test("a stream that is over where it was is told to be over where it should go", async () => {
  await using it = await twoStreams();
  it.one.reset();
  await nextIs(it.first, reset, 1);
  await it.second.send(resumed(1, 0));
  await nextIs(it.second, reset, 1, bytes(u8(4)));
});

Deno.test("RESUME of a stream that cannot move alone is a breach", async () => {
  const cases: [
    string,
    (it: Awaited<ReturnType<typeof twoStreams>>) => void,
  ][] = [
    ["unexpected-frame", (it) => it.arrivals[2]!.acceptDatagrams()],
    ["unexpected-frame", () => {}],
  ];
  for (const [breach, answer] of cases) {
    await using it = await twoStreams();
    await it.first.send(
      frame(open, 5, bytes(u8(1), u64(0), ascii("t"))),
    );
    await until(() => it.arrivals.length === 3);
    answer(it);
    await it.first.send(resumed(5, 0));
    const { reason, detail } = await ended(it, [it.first, it.second]);
    assert.equal(reason, "protocol-error");
    assert.match(detail, new RegExp(`^${breach}`));
  }
});

async function ended(
  { session }: Awaited<ReturnType<typeof twoStreams>>,
  raws: RawPeer[],
) {
  for (const raw of raws) {
    while ((await raw.next())?.type !== frameTypes.goaway);
    raw.conn.close();
  }
  return await session.ended;
}

/** A dialer with stream 1 on its first carrier, accepted, "hello" sent, and a raw acceptor on two more carriers. */
async function sender() {
  const it = await rawAcceptor();
  const [first] = it.raws;
  const opening = it.session.open(ascii("x"));
  await nextIs(first!, open, 1);
  await first!.send(frame(accept, 1, bytes(u64(100))));
  const conn = await opening;
  await conn.write(ascii("hello"));
  await nextIs(first!, data, 1, bytes(u64(0), ascii("hello")));
  const [second, third] = [await it.carrier(), await it.carrier()];
  return Object.assign(it, {
    first: first!,
    second,
    third,
    conn,
    changeTo: (number: number) =>
      it.session.change(1, it.session.carriers.get(number)!),
  });
}

Deno.test("a dialer that moves a stream waits for the answer, and drops what is late until then and after", async () => {
  for (const [name, late] of lateFrames) {
    await using it = await sender();
    it.changeTo(2);
    const told = await nextIs(it.second, resume, 1);
    assert.deepEqual(told.slice(0, 8), bytes(u64(0)), name);
    await it.conn.write(ascii(" more"));
    await it.first.send(late);
    await Promise.all([isQuiet(it.first), isQuiet(it.second)]);
    await it.second.send(resumed(1, 2), dataAt(1, 0, "abc"));
    await nextIs(it.second, data, 1, bytes(u64(2), ascii("llo more")));
    assert.equal(await read(it.conn), "abc", name);
    await it.first.send(late);
    await isQuiet(it.first);
    await it.second.send(dataAt(1, 3, "def"));
    assert.equal(await read(it.conn), "def", name);
  }
});

Deno.test("a dialer whose stream comes back takes nothing for its own before the answer", async () => {
  for (const [name, late] of lateFrames) {
    await using it = await sender();
    it.changeTo(2);
    await nextIs(it.second, resume, 1);
    await it.second.send(resumed(1, 5));
    await until(() => it.session.stats().keptBytes === 0);
    it.changeTo(1);
    await nextIs(it.first, resume, 1);
    await it.first.send(late, resumed(1, 5), dataAt(1, 0, "abc"));
    assert.equal(await read(it.conn), "abc", name);
  }
});

Deno.test("a stream that moves is over when the acceptor says so", async () => {
  await using it = await sender();
  it.changeTo(2);
  await nextIs(it.second, resume, 1);
  await it.second.send(frame(reset, 1, bytes(u8(4))));
  await assert.rejects(read(it.conn), ConnResetError);
  assert.equal(it.session.stats().streams, 0);
});

Deno.test("a stream that is reset while it moves is reset where it is known to be", async () => {
  await using it = await sender();
  it.changeTo(2);
  await nextIs(it.second, resume, 1);
  it.conn.reset();
  await isQuiet(it.second);
  await it.second.send(resumed(1, 0));
  assert.equal((await nextIs(it.second, reset, 1))[0], 1, "broken");
  assert.equal(it.session.stats().streams, 0);
});

Deno.test("a stream that is reset while it moves, and whose carrier is lost, is reset where it is known to be", async () => {
  await using it = await sender();
  it.changeTo(2);
  await nextIs(it.second, resume, 1);
  it.conn.reset();
  it.second.conn.reset();
  await nextIs(it.first, moved, 0, bytes(u32(2), u8(0)));
  await nextIs(it.first, resume, 1);
  await nextIs(it.first, moved, 0, bytes(u32(2), u8(1)));
  await it.first.send(resumed(1, 5), isMoved(2, 1));
  await nextIs(it.first, reset, 1);
  assert.equal(it.session.stats().streams, 0);
});

Deno.test("a stream with nothing left but its move is not over before the acceptor has answered", async () => {
  await using it = await sender();
  await it.conn.closeWrite();
  await nextIs(it.first, end, 1);
  await it.first.send(
    frame(credit, 1, bytes(u64(6), u64(100))),
    dataAt(1, 0, "abc"),
    frame(end, 1, bytes(u64(3), u64(6))),
  );
  await until(() => it.session.stats().unreadBytes === 3);
  it.changeTo(2);
  await nextIs(it.second, resume, 1);
  assert.equal(await read(it.conn), "abc");
  assert.equal(await read(it.conn), null);
  it.second.conn.reset();
  await nextIs(it.first, moved, 0, bytes(u32(2), u8(0)));
  const told = await nextIs(it.first, resume, 1);
  assert.deepEqual(told.slice(0, 8), bytes(u64(4)));
  await nextIs(it.first, moved, 0, bytes(u32(2), u8(1)));
  await it.first.send(frame(reset, 1, bytes(u8(4))), isMoved(2, 1));
  await until(() => it.session.stats().streams === 0);
});

Deno.test("carriers that are lost while a stream moves are moved behind it, wherever it goes", async () => {
  await using it = await sender();
  it.changeTo(3);
  await nextIs(it.third, resume, 1);
  it.first.conn.reset();
  await nextIs(it.third, moved, 0, bytes(u32(1), u8(0)));
  await nextIs(it.third, moved, 0, bytes(u32(1), u8(1)));
  // The second carrier is the only one left, and the answer has not come.
  it.third.conn.reset();
  await nextIs(it.second, moved, 0, bytes(u32(1), u8(0)));
  await nextIs(it.second, moved, 0, bytes(u32(3), u8(0)));
  await nextIs(it.second, resume, 1);
  await nextIs(it.second, moved, 0, bytes(u32(1), u8(1)));
  await nextIs(it.second, moved, 0, bytes(u32(3), u8(1)));
  await it.second.send(resumed(1, 0), isMoved(1, 1), isMoved(3, 1));
  await nextIs(it.second, data, 1, bytes(u64(0), ascii("hello")));
});

Deno.test("one stream moves alone at a time", async () => {
  await using it = await sender();
  const opening = it.session.open(ascii("y"));
  await nextIs(it.first, open, 3);
  await it.first.send(frame(accept, 3, bytes(u64(100))));
  await opening;
  it.changeTo(2);
  await nextIs(it.second, resume, 1);
  it.session.change(3, it.session.carriers.get(2)!);
  await isQuiet(it.second);
  await it.second.send(resumed(1, 5));
  await until(() => it.session.stats().keptBytes === 0);
  it.session.change(3, it.session.carriers.get(2)!);
  await nextIs(it.second, resume, 3);
});

Deno.test("streams that are to move in turn do, each when the one before is answered; one whose carrier is lost stays", async () => {
  await using it = await sender();
  const conns = [it.conn];
  for (const id of [3, 5]) {
    const opening = it.session.open(ascii("y"));
    await nextIs(it.first, open, id);
    await it.first.send(frame(accept, id, bytes(u64(100))));
    conns.push(await opening);
  }
  const [second, third] = [2, 3].map((one) => it.session.carriers.get(one)!);
  it.session.changeInTurn(
    conns.map((conn, i) => ({
      stream: conn as ByteStream,
      to: i === 1 ? third! : second!,
    })),
  );
  await nextIs(it.second, resume, 1);
  await Promise.all([isQuiet(it.second), isQuiet(it.third)]);
  it.session.giveUp(third!, "a test");
  await nextIs(it.second, moved, 0, bytes(u32(3), u8(0)));
  await nextIs(it.second, moved, 0, bytes(u32(3), u8(1)));
  await it.second.send(resumed(1, 5), isMoved(3, 1));
  await nextIs(it.second, resume, 5);
  assert.equal((conns[1] as ByteStream).carrier!.number, 1);
});

Deno.test("streams that are to move in turn do, too, when the one before is over without an answer", async () => {
  await using it = await sender();
  const opening = it.session.open(ascii("y"));
  await nextIs(it.first, open, 3);
  await it.first.send(frame(accept, 3, bytes(u64(100))));
  const to = it.session.carriers.get(2)!;
  it.session.changeInTurn(
    [it.conn, await opening].map((conn) => ({
      stream: conn as ByteStream,
      to,
    })),
  );
  await nextIs(it.second, resume, 1);
  await it.second.send(frame(reset, 1, bytes(u8(4))));
  await until(() => it.session.stats().streams === 1);
  it.session.onBulk();
  await nextIs(it.second, resume, 3);
});
