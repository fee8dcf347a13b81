import { Buffer } from "node:buffer";
import { h2Preface } from "../sniff.ts";
import { H2Error } from "./error.ts";
import {
  encodeFrame,
  type Frame,
  frameType,
  maxWindow,
  readUint32,
  uint32,
  windowFrame,
} from "./frame.ts";
import { maxListBytes } from "./hpack_decoder.ts";
import { connectionWindow } from "./receive_credit.ts";

const id = {
  enablePush: 2,
  maxStreams: 3,
  initialWindow: 4,
  maxFrame: 5,
  maxListBytes: 6,
} as const;

/** What a stream's peer may send before any of it has gone on. */
export const streamWindow = 256 * 1024;
/** How many streams a client may have at once. */
export const maxStreams = 100;

/** What the peer allows us. */
export interface PeerSettings {
  maxStreams: number;
  initialWindow: number;
}

/** RFC 9113 section 6.5.2; of a server's streams we assume no more than of ours until it says. */
export const firstPeerSettings: PeerSettings = {
  maxStreams,
  initialWindow: 65_535,
};

/** What a side says first. */
export function greeting(role: "server" | "client"): Uint8Array {
  const pairs = role === "server"
    ? [[id.maxStreams, maxStreams], [id.maxListBytes, maxListBytes]]
    : [[id.enablePush, 0], [id.maxListBytes, maxListBytes]];
  pairs.push([id.initialWindow, streamWindow]);
  const payload = pairs.flatMap(([key, value]) => [0, key!, ...uint32(value!)]);
  return Buffer.concat([
    role === "client" ? h2Preface : new Uint8Array(0),
    encodeFrame(frameType.settings, 0, 0, payload),
    windowFrame(0, connectionWindow - 65_535),
  ]);
}

/** Changes `settings` by what a SETTINGS frame says. @throws {H2Error} of the connection. */
export function applySettings(settings: PeerSettings, frame: Frame): void {
  const { payload } = frame;
  if (payload.length % 6 !== 0) {
    throw new H2Error("frame-size", "SETTINGS of another size");
  }
  for (let at = 0; at < payload.length; at += 6) {
    const key = payload[at]! << 8 | payload[at + 1]!;
    const value = readUint32(payload, at + 2);
    switch (key) {
      case id.enablePush:
        if (value > 1) throw new H2Error("protocol", "ENABLE_PUSH above 1");
        break;
      case id.maxStreams:
        settings.maxStreams = value;
        break;
      case id.initialWindow:
        if (value > maxWindow) {
          throw new H2Error("flow-control", "an initial window too large");
        }
        settings.initialWindow = value;
        break;
      case id.maxFrame:
        if (value < 16_384 || value > 0xffffff) {
          throw new H2Error("protocol", "MAX_FRAME_SIZE out of its range");
        }
        // Nothing is gained by frames larger than the smallest maximum.
    }
  }
}
