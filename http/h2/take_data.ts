import { H2Error } from "./error.ts";
import { type Frame, unpad } from "./frame.ts";
import type { H2Stream } from "./stream.ts";

/**
 * The octets of a DATA frame, for which the window and the length of the body had room.
 *
 * @throws {H2Error} when they may not be there.
 */
export function takeData(stream: H2Stream, frame: Frame): Uint8Array {
  const { streamId, payload } = frame;
  if (stream.hasReceivedEnd || !stream.hasReceivedHead) {
    throw new H2Error("stream-closed", "DATA out of place", streamId);
  }
  stream.receiveWindow -= payload.length;
  if (stream.receiveWindow < 0) {
    throw new H2Error("flow-control", "more than its window", streamId);
  }
  const octets = unpad(frame);
  if (stream.octetsLeft !== undefined) {
    stream.octetsLeft -= octets.length;
    if (stream.octetsLeft < 0) {
      throw new H2Error("protocol", "more than its length", streamId);
    }
  }
  return octets;
}
