import { H2Error } from "./error.ts";
import {
  checkLength,
  encodeFrame,
  flag,
  type Frame,
  frameType,
  maxWindow,
  readUint32,
} from "./frame.ts";
import type { Outbox } from "./outbox.ts";
import type { RateBound } from "./rate_bound.ts";
import { applySettings, type PeerSettings } from "./settings.ts";
import type { H2Streams } from "./streams.ts";

export interface ControlParts {
  readonly outbox: Outbox;
  readonly peer: PeerSettings;
  readonly streams: H2Streams;
  /** Counts frames that cost the peer little and carry nothing. */
  readonly idleFrames: RateBound;
  readonly onRoom: () => void;
  readonly onGoAway: (lastId: number) => void;
}

/** Frames about the connection, and about how much may be sent (RFC 9113 sections 6.3 and 6.5 to 6.9). */
export class ControlFrames {
  readonly #parts: ControlParts;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Takes any frame but DATA, RST_STREAM and those of header blocks. @throws {H2Error} */
  handle(frame: Frame): void {
    switch (frame.type) {
      case frameType.settings:
        return this.#onSettings(frame);
      case frameType.windowUpdate:
        return this.#onWindow(frame);
      case frameType.ping:
        return this.#onPing(frame);
      case frameType.goAway:
        return this.#onGoAway(frame);
      case frameType.pushPromise:
        throw new H2Error("protocol", "PUSH_PROMISE");
      case frameType.priority:
        checkPriority(frame);
    }
    this.#parts.idleFrames.spend();
  }

  #onSettings(frame: Frame): void {
    const { outbox, peer, streams, idleFrames } = this.#parts;
    if (frame.streamId !== 0) {
      throw new H2Error("protocol", "SETTINGS on a stream");
    }
    idleFrames.spend();
    if (frame.flags & flag.ack) return checkLength(frame, 0);
    const before = peer.initialWindow;
    applySettings(peer, frame);
    const change = peer.initialWindow - before;
    for (const stream of streams.all()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maxWindow) {
        throw new H2Error("flow-control", "a window too large");
      }
      outbox.wake(stream);
    }
    outbox.queue(encodeFrame(frameType.settings, flag.ack, 0, []));
    this.#parts.onRoom();
  }

  #onWindow(frame: Frame): void {
    const { outbox, streams } = this.#parts;
    checkLength(frame, 4);
    const { streamId, payload } = frame;
    const octets = readUint32(payload, 0) & 0x7fffffff;
    if (octets === 0) {
      throw new H2Error("protocol", "WINDOW_UPDATE by 0", streamId);
    }
    if (streamId === 0) {
      outbox.window += octets;
      if (outbox.window > maxWindow) {
        throw new H2Error("flow-control", "a window too large");
      }
      return outbox.unblock();
    }
    const stream = streams.get(streamId);
    if (stream === undefined) return streams.ignoreClosed(streamId);
    stream.sendWindow += octets;
    if (stream.sendWindow > maxWindow) {
      throw new H2Error("flow-control", "a window too large", streamId);
    }
    outbox.wake(stream);
  }

  #onPing(frame: Frame): void {
    const { outbox, idleFrames } = this.#parts;
    checkLength(frame, 8);
    if (frame.streamId !== 0) throw new H2Error("protocol", "PING on a stream");
    idleFrames.spend();
    if (frame.flags & flag.ack) return;
    outbox.queue(
      encodeFrame(frameType.ping, flag.ack, 0, frame.payload),
    );
  }

  #onGoAway({ streamId, payload }: Frame): void {
    if (streamId !== 0) throw new H2Error("protocol", "GOAWAY on a stream");
    if (payload.length < 8) throw new H2Error("frame-size", "GOAWAY");
    this.#parts.onGoAway(readUint32(payload, 0) & 0x7fffffff);
  }
}

function checkPriority({ streamId, payload }: Frame): void {
  if (streamId === 0) throw new H2Error("protocol", "PRIORITY on stream 0");
  if (payload.length !== 5) {
    throw new H2Error("frame-size", "PRIORITY", streamId);
  }
}
