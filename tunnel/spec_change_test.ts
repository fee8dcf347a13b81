/** Speaks from raw bytes how one stream moves alone, to an acceptor; SPEC.md section 7. */
import assert from "node:assert/strict";
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
  lateFrames,
  nextIs,
  opened,
  rawDialer,
  read,
  resumed,
} from "./raw_session_fake.ts";
import { until } from "./session_fake.ts";

const { resume, open, accept, data, reset, moved } = frameTypes;

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
