import assert from "node:assert/strict";
import { h2Preface } from "../sniff.ts";
import { errorCodes } from "./error.ts";
import { frameType, readUint32 } from "./frame.ts";
import type { H2Field } from "./hpack_decoder.ts";
import { get, RawPeer, serveRaw, settings } from "./raw_peer_fake.ts";

function without(name: string, ...more: H2Field[]): H2Field[] {
  return [...get().filter(([one]) => one !== name), ...more];
}

const malformed: [string, H2Field[]][] = [
  ["an upper case name", get(["X-User", "a"])],
  ["a name with a space", get(["x user", "a"])],
  ["a name with a colon", get(["x:y", "a"])],
  ["an empty name", get(["", "a"])],
  ["a line feed in a name", get(["x\n", "a"])],
  ["CR LF in a value", get(["x", "a\r\nGET /smuggled HTTP/1.1"])],
  ["a line feed in a value", get(["x", "a\nb"])],
  ["NUL in a value", get(["x", "a\0b"])],
  ["space before a value", get(["x", " a"])],
  ["connection", get(["connection", "close"])],
  ["keep-alive", get(["keep-alive", "1"])],
  ["proxy-connection", get(["proxy-connection", "close"])],
  ["transfer-encoding", get(["transfer-encoding", "chunked"])],
  ["transfer_encoding", get(["transfer_encoding", "chunked"])],
  ["upgrade", get(["upgrade", "websocket"])],
  ["te other than trailers", get(["te", "gzip"])],
  ["no method", without(":method")],
  ["no scheme", without(":scheme")],
  ["no path", without(":path")],
  ["an empty path", without(":path", [":path", ""])],
  ["a method twice", get([":method", "GET"])],
  ["an unknown pseudo header", [[":x", "a"], ...get()]],
  ["a pseudo header after others", [["x", "a"], ...get()]],
  [":status", [[":status", "200"], ...get()]],
  ["a space in the path", [...without(":path", [":path", "/ HTTP/1.1"])]],
  ["CR LF in the path", [...without(":path", [":path", "/\r\nx: y"])]],
  ["CR LF in the method", without(":method", [":method", "GET / \r\n"])],
  ["a path without a slash", without(":path", [":path", "x"])],
  ["user information", without(":authority", [":authority", "u@app"])],
  ["a host that is another", get(["host", "other"])],
  ["two hosts", get(["host", "app"], ["host", "app"])],
  ["two lengths", get(["content-length", "0"], ["content-length", "0"])],
  ["a length of no digits", get(["content-length", "+0"])],
  ["a length without a body", get(["content-length", "5"])],
  ["CONNECT with a path", [
    [":method", "CONNECT"],
    [":path", "/"],
    [":authority", "a:1"],
  ]],
];

for (const [name, fields] of malformed) {
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
