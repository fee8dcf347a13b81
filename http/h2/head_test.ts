import assert from "node:assert/strict";
import { h2Preface } from "../sniff.ts";
import { errorCodes } from "./error.ts";
import { frameType, readUint32 } from "./frame.ts";
import type { H2Field } from "./hpack_decoder.ts";
import { get, malformedHeads } from "./malformed_corpus.ts";
import { RawPeer, serveRaw, settings } from "./raw_peer_fake.ts";

for (const [name, fields] of malformedHeads) {
  Deno.test(`HTTP/2: ${name} ends the stream, and nobody is asked`, async () => {
    const { peer, app, heads, over } = serveRaw();
    await peer.send(h2Preface, settings, peer.headers(1, fields));
    const reset = await peer.next(frameType.resetStream);
    assert.equal(reset?.streamId, 1);
    assert.equal(readUint32(reset.payload, 0), errorCodes.protocol);
    peer.end();
    await over;
    assert.equal(heads.length, 0);
    assert.equal(app.opened, 0);
  });
}

const badAnswers: [string, H2Field[], number][] = [
  ["no status", [["x", "y"]], 5],
  ["status 101", [[":status", "101"]], 4],
  ["an upper case name", [[":status", "200"], ["X", "y"]], 5],
  ["CR LF in a value", [[":status", "200"], ["x", "a\r\nb"]], 5],
  ["connection", [[":status", "200"], ["connection", "close"]], 5],
  ["a length without a body", [[":status", "200"], ["content-length", "1"]], 5],
];
for (const [name, fields, flags] of badAnswers) {
  Deno.test(`HTTP/2: an answer with ${name} is not passed on`, async () => {
    const { peer, app, over } = serveRaw();
    await peer.send(h2Preface, settings, peer.headers(1, get()));
    const upstream = new RawPeer((await app.accept()).conn);
    await upstream.skip(h2Preface.length);
    await upstream.send(settings, upstream.headers(1, fields, flags));
    const reset = await peer.next(frameType.resetStream);
    assert.equal(readUint32(reset!.payload, 0), errorCodes.protocol);
    const there = await upstream.next(frameType.resetStream);
    assert.equal(there!.streamId, 1);
    peer.end();
    await over;
  });
}
