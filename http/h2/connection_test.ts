import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { h2Preface } from "../sniff.ts";
import { errorCodes } from "./error.ts";
import { encodeFrame, frameType, readUint32, uint32 } from "./frame.ts";
import type { H2Field } from "./hpack_decoder.ts";
import { get } from "./malformed_corpus.ts";
import { RawPeer, serveRaw, settings } from "./raw_peer_fake.ts";

const data = (id: number, octets: number, flags = 0) =>
  encodeFrame(frameType.data, flags, id, new Uint8Array(octets));
const open = (peer: RawPeer) => peer.headers(1, get(), 4);

type Make = (peer: RawPeer) => Uint8Array[];
const broken: [string, keyof typeof errorCodes, Make][] = [
  ["a frame too large", "frame-size", () => [data(1, 16_385)]],
  ["DATA on stream 0", "protocol", () => [data(0, 1)]],
  ["DATA on an idle stream", "protocol", () => [data(1, 1)]],
  ["DATA on an even stream", "protocol", () => [data(2, 1)]],
  ["HEADERS on an even stream", "protocol", (p) => [p.headers(2, get())]],
  ["HEADERS on stream 0", "protocol", (p) => [p.headers(0, get())]],
  ["CONTINUATION alone", "protocol", () => [
    encodeFrame(frameType.continuation, 4, 1, []),
  ]],
  ["a frame inside a header block", "protocol", (p) => [
    p.headers(1, get(), 1),
    encodeFrame(frameType.ping, 0, 0, new Uint8Array(8)),
  ]],
  ["CONTINUATION without end", "calm", (p) => [
    p.headers(1, get(), 1),
    ...Array.from(
      { length: 64 },
      () => encodeFrame(frameType.continuation, 0, 1, []),
    ),
  ]],
  ["a header block too large", "calm", (p) => [
    p.headers(1, get(), 1),
    ...Array.from(
      { length: 5 },
      () => encodeFrame(frameType.continuation, 0, 1, new Uint8Array(16_000)),
    ),
  ]],
  ["a broken header block", "compression", () => [
    encodeFrame(frameType.headers, 5, 1, [0xff, 0xff, 0xff]),
  ]],
  ["a stream that depends on itself", "protocol", () => [
    encodeFrame(frameType.headers, 0x25, 1, [0, 0, 0, 1, 9, 0x82]),
  ]],
  ["PUSH_PROMISE", "protocol", () => [
    encodeFrame(frameType.pushPromise, 4, 1, [0, 0, 0, 2]),
  ]],
  ["more padding than frame", "protocol", (p) => [
    open(p),
    encodeFrame(frameType.data, 8, 1, [5, 0, 0]),
  ]],
  ["PING of another size", "frame-size", () => [
    encodeFrame(frameType.ping, 0, 0, [1]),
  ]],
  ["SETTINGS of another size", "frame-size", () => [
    encodeFrame(frameType.settings, 0, 0, [1]),
  ]],
  ["SETTINGS on a stream", "protocol", () => [
    encodeFrame(frameType.settings, 0, 1, []),
  ]],
  ["a window above 2^31 - 1", "flow-control", () => [
    encodeFrame(frameType.windowUpdate, 0, 0, uint32(0x7fffffff)),
  ]],
  ["a window opened by 0", "protocol", () => [
    encodeFrame(frameType.windowUpdate, 0, 0, uint32(0)),
  ]],
  ["RST_STREAM on an idle stream", "protocol", () => [
    encodeFrame(frameType.resetStream, 0, 1, uint32(8)),
  ]],
  ["PINGs without end", "calm", () => [
    Buffer.concat(
      Array.from(
        { length: 12_000 },
        () => encodeFrame(frameType.ping, 1, 0, new Uint8Array(8)),
      ),
    ),
  ]],
  ["rapid resets", "calm", (p) => [
    Buffer.concat(
      Array.from({ length: 1_100 }, (_, at) =>
        Buffer.concat([
          p.headers(2 * at + 1, get()),
          encodeFrame(frameType.resetStream, 0, 2 * at + 1, uint32(8)),
        ])),
    ),
  ]],
];

for (const [name, word, make] of broken) {
  Deno.test(`HTTP/2: ${name} ends the connection: ${word}`, async () => {
    const { peer, over } = serveRaw();
    const sent = peer.send(h2Preface, settings, ...make(peer)).catch(() => {});
    const goAway = await peer.next(frameType.goAway);
    assert.equal(readUint32(goAway!.payload, 4), errorCodes[word]);
    peer.end();
    await sent;
    await over;
  });
}

Deno.test("HTTP/2: what does not begin with SETTINGS is refused", async () => {
  const { peer, over } = serveRaw();
  await peer.send(
    h2Preface,
    encodeFrame(frameType.ping, 0, 0, new Uint8Array(8)),
  );
  const goAway = await peer.next(frameType.goAway);
  assert.equal(readUint32(goAway!.payload, 4), errorCodes.protocol);
  peer.end();
  await over;
});

const streamErrors: [string, keyof typeof errorCodes, Make][] = [
  ["DATA after the end", "stream-closed", (p) => [
    p.headers(1, get()),
    data(1, 1),
  ]],
  ["more than the length", "protocol", (p) => [
    p.headers(1, get(["content-length", "3"]), 4),
    data(1, 4),
  ]],
  ["less than the length", "protocol", (p) => [
    p.headers(1, get(["content-length", "3"]), 4),
    data(1, 2, 1),
  ]],
  ["more than the stream's window", "flow-control", (p) => [
    open(p),
    ...Array.from({ length: 22 }, () => data(1, 16_384)),
  ]],
  ["trailers with a pseudo header", "protocol", (p) => [
    open(p),
    p.headers(1, [[":path", "/"]]),
  ]],
  ["trailers that do not end", "protocol", (p) => [
    open(p),
    p.headers(1, [["x", "y"]], 4),
  ]],
];

for (const [name, word, make] of streamErrors) {
  Deno.test(`HTTP/2: ${name} ends the stream: ${word}`, async () => {
    const { peer, app, over } = serveRaw();
    const sent = peer.send(h2Preface, settings, ...make(peer)).catch(() => {});
    const reset = await peer.next(frameType.resetStream);
    assert.equal(readUint32(reset!.payload, 0), errorCodes[word]);
    peer.end();
    await sent;
    await over;
    assert.ok(app.opened <= 1);
  });
}

Deno.test("HTTP/2: PING is answered, PRIORITY and unknown frames are ignored, heads too large are 431", async () => {
  const { peer, over } = serveRaw();
  await peer.send(
    h2Preface,
    settings,
    encodeFrame(frameType.priority, 0, 3, [0, 0, 0, 1, 9]),
    encodeFrame(0x77, 0xff, 9, [1, 2, 3]),
    encodeFrame(frameType.ping, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]),
    peer.headers(
      1,
      get(...Array.from({ length: 250 }, (): H2Field => ["x", "y"])),
    ),
  );
  const ping = await peer.next(frameType.ping);
  assert.deepEqual([...ping!.payload], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(ping!.flags, 1);
  const head = await peer.next(frameType.headers);
  assert.match(head!.payload.toString("latin1"), /431/);
  peer.end();
  await over;
});

Deno.test("HTTP/2: a header block that is not whole after 60 s ends the connection", async () => {
  const { peer, over, clock } = serveRaw();
  await peer.send(h2Preface, settings, peer.headers(1, get(), 1));
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.advance(59_999);
  await peer.send(encodeFrame(frameType.continuation, 0, 1, []));
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.advance(1);
  await over;
  assert.equal(await peer.next(frameType.goAway), undefined);
});

Deno.test("HTTP/2: drain answers what is in progress, refuses the rest, and ends", async () => {
  const drain = new AbortController();
  const { peer, app, over } = serveRaw({ drain: drain.signal });
  await peer.send(h2Preface, settings, peer.headers(1, get()));
  const upstream = new RawPeer((await app.accept()).conn);
  await upstream.skip(h2Preface.length);
  await upstream.next(frameType.headers);
  drain.abort();
  const goAway = await peer.next(frameType.goAway);
  assert.equal(readUint32(goAway!.payload, 0), 1);
  assert.equal(readUint32(goAway!.payload, 4), errorCodes.none);
  await peer.send(peer.headers(3, get()));
  const reset = await peer.next(frameType.resetStream);
  assert.equal(readUint32(reset!.payload, 0), errorCodes["refused-stream"]);
  await upstream.send(settings, upstream.headers(1, [[":status", "204"]]));
  assert.equal((await peer.next(frameType.headers))!.streamId, 1);
  assert.equal(await peer.next(frameType.goAway), undefined);
  peer.end();
  await over;
});

Deno.test("HTTP/2: any frames are served or refused, and the connection ends", async () => {
  const anyFrame = fc.record({
    type: fc.nat({ max: 10 }),
    flags: fc.nat({ max: 255 }),
    streamId: fc.constantFrom(0, 1, 2, 3, 5),
    payload: fc.uint8Array({ maxLength: 40 }),
  }).map(({ type, flags, streamId, payload }) =>
    encodeFrame(type, flags, streamId, payload)
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 8 }), async (frames) => {
      const { peer, over, app } = serveRaw();
      await peer.send(h2Preface, settings, ...frames);
      await Promise.resolve();
      peer.end();
      await over;
      assert.ok(app.opened <= 1);
    }),
    { numRuns: 500 },
  );
});
