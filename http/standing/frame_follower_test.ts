import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { encodeFrame, flag, frameType } from "../h2/frame.ts";
import { FrameFollower } from "./frame_follower.ts";

const settings = encodeFrame(frameType.settings, 0, 0, []);

/** Frames that may follow one another: a header block's are one. */
const someFrames = fc.array(fc.oneof(
  fc.nat(3000).map((octets) =>
    encodeFrame(frameType.data, 0, 1, new Uint8Array(octets))
  ),
  fc.array(fc.nat(200), { minLength: 1, maxLength: 4 }).map((sizes) =>
    Buffer.concat(sizes.map((octets, i) =>
      encodeFrame(
        i === 0 ? frameType.headers : frameType.continuation,
        i === sizes.length - 1 ? flag.endHeaders : 0,
        1,
        new Uint8Array(octets),
      )
    ))
  ),
));

Deno.test("FrameFollower finds the last place between frames, however the octets are cut", () => {
  fc.assert(fc.property(
    someFrames,
    fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
    (frames, sizes) => {
      const all = Buffer.concat([settings, ...frames]);
      const places = new Set<number>();
      let end = 0;
      for (const frame of [settings, ...frames]) {
        places.add(end += frame.length);
      }
      const follower = new FrameFollower();
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const piece = all.subarray(at, at + sizes[turn % sizes.length]!);
        let last = -1;
        for (let i = 1; i <= piece.length; i++) {
          if (places.has(at + i)) last = i;
        }
        assert.equal(follower.follow(piece), last);
        assert.equal(follower.isBetween, last === piece.length);
        at += piece.length;
      }
    },
  ));
});

Deno.test("FrameFollower finds no place in what is no HTTP/2", () => {
  const follower = new FrameFollower();
  const answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  assert.equal(follower.follow(Buffer.from(answer)), -1);
  assert.equal(follower.follow(settings), -1);
  assert.ok(!follower.isBetween);
});
