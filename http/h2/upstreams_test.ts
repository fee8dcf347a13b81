import assert from "node:assert/strict";
import { FakeClock } from "../../net/clock_fake.ts";
import { FakeDestination, SlowDestination } from "../destination_fake.ts";
import { h2Preface } from "../sniff.ts";
import { errorCodes } from "./error.ts";
import { encodeFrame, frameType, readUint32, uint32 } from "./frame.ts";
import { get } from "./malformed_corpus.ts";
import { RawPeer, serveRaw, settings } from "./raw_peer_fake.ts";
import { H2Upstreams } from "./upstreams.ts";

Deno.test("HTTP/2: requests that a destination says it did not look at are refused, so that the client may ask again", async () => {
  const { peer, app, over } = serveRaw();
  await peer.send(
    h2Preface,
    settings,
    peer.headers(1, get()),
    peer.headers(3, get()),
  );
  const upstream = new RawPeer((await app.accept()).conn);
  await upstream.skip(h2Preface.length);
  await upstream.next(frameType.headers);
  await upstream.next(frameType.headers);
  await upstream.send(
    settings,
    encodeFrame(frameType.goAway, 0, 0, [...uint32(1), ...uint32(0)]),
  );
  const reset = await peer.next(frameType.resetStream);
  assert.equal(reset!.streamId, 3);
  assert.equal(readUint32(reset!.payload, 0), errorCodes["refused-stream"]);
  await upstream.send(upstream.headers(1, [[":status", "204"]]));
  assert.equal((await peer.next(frameType.headers))!.streamId, 1);
  peer.end();
  await over;
});

Deno.test("HTTP/2: the connection that was opened while the client was silent serves", async () => {
  const { peer, app, over, clock } = serveRaw();
  await new Promise((resolve) => setTimeout(resolve, 0));
  clock.advance(100);
  const upstream = new RawPeer((await app.accept()).conn);
  await peer.send(h2Preface, settings, peer.headers(1, get()));
  await upstream.skip(h2Preface.length);
  assert.equal((await upstream.next(frameType.headers))!.streamId, 1);
  peer.end();
  await over;
  assert.equal(app.opened, 1);
});

Deno.test("HTTP/2: an upstream that was opened by another way answers what it was asked, and no more", async () => {
  const { peer, app, over } = serveRaw();
  app.currentWay = "one";
  const nextUpstream = async () => {
    const upstream = new RawPeer((await app.accept()).conn);
    await upstream.skip(h2Preface.length);
    await upstream.send(settings);
    await upstream.next(frameType.headers);
    return upstream;
  };
  await peer.send(h2Preface, settings, peer.headers(1, get()));
  const first = await nextUpstream();
  app.currentWay = "another";
  await peer.send(peer.headers(3, get()));
  const second = await nextUpstream();
  await first.send(first.headers(1, [[":status", "201"]]));
  assert.equal((await peer.next(frameType.headers))!.streamId, 1);
  assert.equal(await first.next(frameType.headers), undefined);
  await second.send(second.headers(1, [[":status", "202"]]));
  assert.equal((await peer.next(frameType.headers))!.streamId, 3);
  peer.end();
  await over;
  assert.equal(app.opened, 2);
});

Deno.test("HTTP/2: what is being opened when the client leaves is called off, and reset if it comes nevertheless", async () => {
  for (const leave of ["closeWrite", "close", "reset"] as const) {
    const slow = new SlowDestination();
    const { client, peer, over } = serveRaw({ route: () => slow });
    await peer.send(h2Preface, settings, peer.headers(1, get()));
    const signal = await slow.asked;
    await client[leave]();
    await over;
    assert.ok(signal.aborted);
    assert.ok((await slow.arrive().all()).isBroken, leave);
  }
});

Deno.test("HTTP/2: who waits for room at a destination does so no longer than its client", async () => {
  const app = new FakeDestination();
  const upstreams = new H2Upstreams({ clock: new FakeClock() });
  const connection = await upstreams.take(app);
  const upstream = new RawPeer((await app.accept()).conn);
  await upstream.skip(h2Preface.length);
  const none = [0, 3, ...uint32(0)];
  await upstream.send(encodeFrame(frameType.settings, 0, 0, none));
  await upstream.next(frameType.settings);
  await upstream.next(frameType.settings);
  let isWanted = true;
  const asked = upstreams.request(connection, get(), {
    ends: () => true,
    isWanted: () => isWanted,
  });
  isWanted = false;
  upstreams.lookAgain();
  assert.equal(await asked, undefined);
  await upstreams.end({ waits: false });
  assert.equal(await upstream.next(frameType.headers), undefined);
});

Deno.test("HTTP/2: an upstream whose way has ended does not wait for a request of its own", async () => {
  const [app, laptop] = [new FakeDestination(), new FakeDestination()];
  laptop.currentWay = "one";
  const upstreams = new H2Upstreams({ clock: new FakeClock() });
  await upstreams.take(laptop);
  const idle = await laptop.accept();
  await upstreams.take(app);
  laptop.currentWay = undefined;
  await upstreams.take(app);
  assert.ok(!(await idle.all()).isBroken);
  assert.equal(app.opened, 1);
  await upstreams.end({ waits: false });
});
