/** Speaks the joining and moving of SPEC.md from raw bytes, without the code of this room. */
import assert from "node:assert/strict";
import { ascii, bytes, frame, rawKey, u32, u64, u8 } from "./raw_peer_fake.ts";
import {
  frameTypes,
  isMoved,
  nextIs,
  opened,
  rawDialer,
} from "./raw_session_fake.ts";
import { until } from "./session_fake.ts";

const { resume, accept, refuse, data, credit, end } = frameTypes;
const { open, reset, ping, pong, goaway, moved } = frameTypes;

Deno.test("a stream moves by hand: JOIN, MOVED, RESUME both ways, and what was lost again", async () => {
  await using it = await rawDialer();
  await it.first.send(opened(1));
  await until(() => it.arrivals.length === 1);
  const conn = it.arrivals[0]!.accept();
  const window = await nextIs(it.first, accept, 1);
  await it.first.send(frame(data, 1, bytes(u64(0), ascii("abc"))));
  await conn.write(ascii("hello"));
  await nextIs(it.first, data, 1, bytes(u64(0), ascii("hello")));
  const buffer = new Uint8Array(10);
  assert.equal(await conn.read(buffer), 3);

  const second = it.carrier();
  await second.joinAsDialer(it.key, 2);
  // Of "hello", "he" has come.
  await second.send(
    isMoved(1, 0),
    frame(resume, 1, bytes(u64(2), u64(100))),
    isMoved(1, 1),
  );
  assert.equal(await it.first.next().catch(() => null), null);
  const answer = await nextIs(second, resume, 1);
  assert.deepEqual(answer.slice(0, 8), bytes(u64(3)));
  assert.ok(answer.slice(8).toHex() >= window.toHex(), "credit never falls");
  await nextIs(second, moved, 0, bytes(u32(1), u8(1)));
  await nextIs(second, data, 1, bytes(u64(2), ascii("llo")));

  await second.send(frame(data, 1, bytes(u64(3), ascii("def"))));
  assert.equal(await conn.read(buffer), 3);
  assert.deepEqual(buffer.slice(0, 3), ascii("def"));
  await second.send(frame(end, 1, bytes(u64(6), u64(5))));
  assert.equal(await conn.read(buffer), null);
  await conn.closeWrite();
  await nextIs(second, end, 1, bytes(u64(5), u64(7)));
  await second.send(frame(credit, 1, bytes(u64(6), u64(100))));
  await until(() => it.session.stats().streams === 0);
});

Deno.test("an OPEN that comes again is what it was: waiting, accepted, over or fresh", async () => {
  await using it = await rawDialer();
  await it.first.send(opened(1), opened(3), opened(5));
  await until(() => it.arrivals.length === 3);
  const accepted = it.arrivals[1]!.accept();
  await nextIs(it.first, accept, 3);
  await accepted.write(ascii("hi"));
  await nextIs(it.first, data, 3, bytes(u64(0), ascii("hi")));
  it.arrivals[2]!.refuse("refused", "no");
  await nextIs(it.first, refuse, 5);

  const second = it.carrier();
  await second.joinAsDialer(it.key, 2);
  await second.send(isMoved(1, 0));
  await until(() => it.session.stats().moves === 1);
  // Its answer waits until the OPEN has come again.
  it.arrivals[0]!.refuse("unreachable", "why");
  await second.send(frame(ping, 0, bytes(u64(1))));
  await nextIs(second, pong, 0, bytes(u64(1)));
  await second.send(opened(1), opened(3), opened(5), opened(7), isMoved(1, 1));
  await nextIs(second, refuse, 1, bytes(u8(2), ascii("why")));
  await nextIs(second, accept, 3);
  assert.equal((await nextIs(second, refuse, 5))[0], 8, "failed");
  await nextIs(second, moved, 0, bytes(u32(1), u8(1)));
  await nextIs(second, data, 3, bytes(u64(0), ascii("hi")));
  assert.equal(it.arrivals.length, 4);
});

Deno.test("streams that are not told are over; one that is over is told so", async () => {
  await using it = await rawDialer();
  await it.first.send(opened(1), opened(3), opened(5));
  await until(() => it.arrivals.length === 3);
  const [untold, over] = it.arrivals.map((one) => one.accept());
  for (const id of [1, 3, 5]) await nextIs(it.first, accept, id);
  over!.reset();
  await nextIs(it.first, reset, 3);
  const second = it.carrier();
  await second.joinAsDialer(it.key, 2);
  await second.send(
    isMoved(1, 0),
    frame(resume, 3, bytes(u64(0), u64(100))),
    frame(reset, 5, bytes(u8(1))),
    isMoved(1, 1),
  );
  await nextIs(second, reset, 3, bytes(u8(4)));
  await nextIs(second, moved, 0, bytes(u32(1), u8(1)));
  await assert.rejects(untold!.read(new Uint8Array(1)));
  assert.equal(it.session.stats().streams, 0);
});

Deno.test("the acceptor sends its own OPEN again when its carrier is moved", async () => {
  await using it = await rawDialer();
  const opening = it.session.open(ascii("own"));
  const body = await nextIs(it.first, open, 2);
  const second = it.carrier();
  await second.joinAsDialer(it.key, 2);
  await second.send(isMoved(1, 0), isMoved(1, 1));
  await nextIs(second, open, 2, body);
  await nextIs(second, moved, 0, bytes(u32(1), u8(1)));
  await second.send(frame(accept, 2, bytes(u64(10))));
  (await opening).reset();
});

Deno.test("who holds another key, or comes too late, learns nothing of a session", async () => {
  await using it = await rawDialer();
  const stranger = it.carrier();
  await stranger.joinAsDialer(await rawKey(), 2);
  const toStranger = await nextIs(stranger, goaway, 0);
  it.session.close();
  await nextIs(it.first, goaway, 0);
  it.first.conn.close();
  await it.session.ended;
  const late = it.carrier();
  await late.joinAsDialer(it.key, 3);
  assert.deepEqual(await nextIs(late, goaway, 0), toStranger);
  assert.equal(toStranger[0], 6, "unknown-session");
});

Deno.test("a carrier whose number was moved before it came is turned away", async () => {
  await using it = await rawDialer();
  await it.first.send(isMoved(2, 0), isMoved(2, 1));
  await nextIs(it.first, moved, 0, bytes(u32(2), u8(1)));
  const late = it.carrier();
  await late.joinAsDialer(it.key, 2);
  assert.equal((await nextIs(late, goaway, 0))[0], 5, "overloaded");
  const next = it.carrier();
  await next.joinAsDialer(it.key, 3);
  await next.send(frame(ping, 0, bytes(u64(1))));
  await nextIs(next, pong, 0, bytes(u64(1)));
});
