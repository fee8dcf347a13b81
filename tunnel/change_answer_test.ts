/** What an acceptor answers to a stream that moves alone when something else is due on it; SPEC.md section 7. */
import assert from "node:assert/strict";
import { ascii, bytes, frame, u64, u8 } from "./raw_peer_fake.ts";
import {
  dataAt,
  frameTypes,
  isQuiet,
  nextIs,
  opened,
  rawAcceptor,
  rawDialer,
  resumed,
} from "./raw_session_fake.ts";
import { until } from "./session_fake.ts";

const { resume, open, accept, data, end, reset } = frameTypes;

/** A raw dialer with stream 1 on its first carrier, and a second one. */
async function oneStream(capabilities?: string[]) {
  const it = await rawDialer(capabilities);
  await it.first.send(opened(1));
  await until(() => it.arrivals.length === 1);
  const one = it.arrivals[0]!.accept();
  await nextIs(it.first, accept, 1);
  const second = it.carrier();
  await second.joinAsDialer(it.key, 2);
  await isQuiet(second);
  /** Moves the stream, and does `what` in the moment between its move and the answer. */
  const moveAnd = async (receivedTo: number, what: () => void) => {
    const sent = second.send(resumed(1, receivedTo));
    while (it.session.stats().movedStreams === 0) await undefined;
    what();
    await sent;
  };
  return Object.assign(it, { one, second, moveAnd });
}

Deno.test("a stream that breaks off when it has just moved answers RESUME, then RESET", async () => {
  await using it = await oneStream();
  await it.moveAnd(0, () => it.one.reset());
  await nextIs(it.second, resume, 1);
  assert.equal((await nextIs(it.second, reset, 1))[0], 1);
  await until(() => it.session.stats().streams === 0);
});

Deno.test("a stream of which all is read when it has just moved answers RESUME before it is over", async () => {
  await using it = await oneStream();
  await it.first.send(
    dataAt(1, 0, "abc"),
    frame(end, 1, bytes(u64(3), u64(0))),
  );
  await until(() => it.session.stats().unreadBytes === 3);
  await it.one.closeWrite();
  await nextIs(it.first, end, 1);
  let read: Promise<number | null> | undefined;
  await it.moveAnd(1, () => read = it.one.read(new Uint8Array(10)));
  assert.equal(await read, 3);
  assert.equal(await it.one.read(new Uint8Array(10)), null);
  const told = await nextIs(it.second, resume, 1);
  assert.deepEqual(told.slice(0, 8), bytes(u64(4)));
  await until(() => it.session.stats().streams === 0);
});

Deno.test("no stream moves alone towards an acceptor that does not know of it", async () => {
  await using it = await rawAcceptor({}, ["other"]);
  const [first] = it.raws;
  const opening = it.session.open(ascii("x"));
  await nextIs(first!, open, 1);
  await first!.send(frame(accept, 1, bytes(u64(100))));
  const conn = await opening;
  const second = await it.carrier();
  it.session.change(1, it.session.carriers.get(2)!);
  await conn.write(ascii("hello"));
  await nextIs(first!, data, 1, bytes(u64(0), ascii("hello")));
  await isQuiet(second);
});

Deno.test("a dialer that does not know of RESET over is told closed", async () => {
  for (const [capabilities, reason] of [[["alone"], 4], [[], 3]] as const) {
    await using it = await oneStream([...capabilities]);
    it.one.reset();
    assert.equal((await nextIs(it.first, reset, 1))[0], 1);
    await it.second.send(resumed(1, 0));
    assert.deepEqual(await nextIs(it.second, reset, 1), bytes(u8(reason)));
  }
});
