/** Speaks from raw bytes how one stream moves alone, to a dialer; SPEC.md section 7. */
import assert from "node:assert/strict";
import { ConnResetError } from "../net/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import { ascii, bytes, frame, u32, u64, u8 } from "./raw_peer_fake.ts";
import {
  dataAt,
  frameTypes,
  isMoved,
  isQuiet,
  lateFrames,
  nextIs,
  rawAcceptor,
  read,
  resumed,
} from "./raw_session_fake.ts";
import { until } from "./session_fake.ts";

const { resume, open, accept, data, credit, end, reset, moved } = frameTypes;

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
