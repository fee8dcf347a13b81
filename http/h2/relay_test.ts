import assert from "node:assert/strict";
import { h2Preface } from "../sniff.ts";
import { encodeFrame, frameType } from "./frame.ts";
import { type H2Field, HpackDecoder } from "./hpack_decoder.ts";
import { get } from "./malformed_corpus.ts";
import { RawPeer, serveRaw, settings } from "./raw_peer_fake.ts";

async function joined() {
  const { peer, app, over } = serveRaw();
  const secret: H2Field = ["authorization", "secret", true];
  await peer.send(h2Preface, settings, peer.headers(1, get(secret), 4));
  const upstream = new RawPeer((await app.accept()).conn);
  await upstream.skip(h2Preface.length);
  const head = await upstream.next(frameType.headers);
  await upstream.send(settings);
  return { peer, upstream, over, head: head!, secret };
}

Deno.test("HTTP/2: fields pass in their order, and what no hop may index stays so", async () => {
  const { peer, upstream, over, head, secret } = await joined();
  const decoder = new HpackDecoder();
  assert.deepEqual(decoder.decode(head.payload), get(secret));
  assert.equal(head.flags, 4);
  peer.end();
  await over;
  upstream.end();
});

Deno.test("HTTP/2: a request's data, padded or not, and its trailers pass", async () => {
  const { peer, upstream, over } = await joined();
  const text = new TextEncoder().encode("abc");
  await peer.send(
    encodeFrame(frameType.data, 8, 1, [2, ...text, 0, 0]),
    encodeFrame(frameType.data, 0, 1, text),
    peer.headers(1, [["digest", "x"]]),
  );
  let data = "";
  while (data.length < 6) {
    data += (await upstream.next(frameType.data))!.payload.toString();
  }
  assert.equal(data, "abcabc");
  const trailers = await upstream.next(frameType.headers);
  assert.match(trailers!.payload.toString("latin1"), /digest/);
  assert.equal(trailers!.flags & 1, 1);
  peer.end();
  await over;
  upstream.end();
});

Deno.test("HTTP/2: a whole answer before the end of its request passes, then the rest is not wanted", async () => {
  const { peer, upstream, over } = await joined();
  await upstream.send(
    upstream.headers(1, [[":status", "413"]]),
    encodeFrame(frameType.resetStream, 0, 1, [0, 0, 0, 0]),
  );
  const head = await peer.next(frameType.headers);
  assert.equal(head!.flags & 1, 1);
  const reset = await peer.next(frameType.resetStream);
  assert.deepEqual([...reset!.payload], [0, 0, 0, 0]);
  peer.end();
  await over;
  upstream.end();
});

Deno.test("HTTP/2: a head larger than a frame passes in several", async () => {
  const { peer, upstream, over } = await joined();
  const fields: H2Field[] = [
    [":status", "200"],
    ...Array.from({ length: 4 }, (_, at): H2Field => [
      `x-${at}`,
      "v".repeat(10_000),
    ]),
  ];
  const [first, second, third] = split(upstream.headers(1, fields));
  await upstream.send(
    encodeFrame(frameType.headers, 1, 1, first!),
    encodeFrame(frameType.continuation, 0, 1, second!),
    encodeFrame(frameType.continuation, 4, 1, third!),
  );
  const head = (await peer.next(frameType.headers))!;
  assert.equal(head.flags, 1);
  const parts = [head.payload];
  for (let flags = 0; flags === 0;) {
    const part = (await peer.next(frameType.continuation))!;
    parts.push(part.payload);
    flags = part.flags;
  }
  const block = new Uint8Array(parts.flatMap((part) => [...part]));
  assert.deepEqual(new HpackDecoder().decode(block), fields);
  peer.end();
  await over;
  upstream.end();
});

/** The payload of one frame in three. */
function split(frame: Uint8Array): Uint8Array[] {
  const block = frame.subarray(9);
  return [0, 15_000, 30_000].map((at, part) =>
    block.subarray(at, part === 2 ? undefined : at + 15_000)
  );
}
