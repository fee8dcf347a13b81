/**
 * Takes frames out of the carrier's bytes, wherever the carrier has cut them.
 *
 * 1. A header is checked as soon as it is whole, so a frame that breaks the rules is found before its body is there.
 * 2. The payload of DATA is passed on piece by piece, as it comes.
 * 3. All other frames are passed on whole.
 */
import { readDetail, readOffset, readU32 } from "./_bytes.ts";
import {
  dataHeadBytes,
  decodeRefusal,
  frameShapes,
  frameType,
  headerBytes,
  type MovePhase,
  movePhase,
  openFlag,
} from "./frame.ts";
import type { Refusal } from "../net/mod.ts";
import { ProtocolError } from "./protocol_error.ts";

/** Who is told the frames. Byte arrays are valid during the call only. */
export interface FrameSink {
  onOpen(
    stream: number,
    flags: number,
    maySendTo: number,
    target: Uint8Array,
  ): void;
  onAccept(stream: number, maySendTo: number): void;
  onRefuse(stream: number, refusal: Refusal, detail: string): void;
  /** A piece of DATA: the bytes `from` to `to` of `bytes`, at `offset` of the stream's direction. */
  onData(
    stream: number,
    offset: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void;
  onDatagram(
    stream: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void;
  onCredit(stream: number, receivedTo: number, maySendTo: number): void;
  onResume(stream: number, receivedTo: number, maySendTo: number): void;
  onEnd(stream: number, offset: number, receivedTo: number): void;
  onReset(stream: number, reason: number, detail: string): void;
  onPing(high: number, low: number): void;
  onPong(high: number, low: number): void;
  onGoaway(reason: number, detail: string): void;
  onMoved(carrier: number, phase: MovePhase): void;
}

/** One direction of one carrier after the greeting. */
export class FrameDecoder {
  /** The DATA frame in which the bytes stand: what is still to come of it, of whom, from where. */
  #dataLeft = 0;
  #dataStream = 0;
  #dataOffset = 0;

  /**
   * Decodes what is whole of the bytes `from` to `to`. Returns where the first undecoded byte is; it and what
   * follows belong before the next bytes of the carrier.
   *
   * @throws {ProtocolError} when the bytes, or the sink, break the rules. The decoder is of no use after it.
   */
  decode(bytes: Uint8Array, from: number, to: number, sink: FrameSink): number {
    let at = from;
    for (;;) {
      if (this.#dataLeft > 0) {
        if (at === to) return at;
        const end = Math.min(at + this.#dataLeft, to);
        const offset = this.#dataOffset;
        this.#dataLeft -= end - at;
        this.#dataOffset += end - at;
        sink.onData(this.#dataStream, offset, bytes, at, end);
        at = end;
        continue;
      }
      if (to - at < headerBytes) return at;
      const type = bytes[at]!;
      const length = readU32(bytes, at) & 0xffffff;
      const stream = readU32(bytes, at + 4);
      checkHeader(type, length, stream);
      const body = at + headerBytes;
      if (type === frameType.data) {
        if (to < body + dataHeadBytes) return at;
        this.#dataStream = stream;
        this.#dataOffset = readOffset(bytes, body);
        this.#dataLeft = length - dataHeadBytes;
        at = body + dataHeadBytes;
        continue;
      }
      if (to < body + length) return at;
      at = body + length;
      dispatch(type, stream, bytes, body, at, sink);
    }
  }
}

/** @throws {ProtocolError} unless type, length and id fit each other. */
export function checkHeader(
  type: number,
  length: number,
  stream: number,
): void {
  const shape = frameShapes[type];
  if (shape === undefined) {
    throw new ProtocolError("bad-frame", `no frame has type ${type}`);
  }
  if (length < shape.min || length > shape.max) {
    throw new ProtocolError(
      "bad-frame",
      `a frame of type ${type} has a body of ${length} bytes`,
    );
  }
  if (shape.ofStream !== (stream !== 0)) {
    throw new ProtocolError(
      "bad-frame",
      `a frame of type ${type} has stream id ${stream}`,
    );
  }
}

/** Passes one whole frame with the body `at` to `end` on. */
function dispatch(
  type: number,
  stream: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  sink: FrameSink,
): void {
  switch (type) {
    case frameType.credit:
      return sink.onCredit(
        stream,
        readOffset(bytes, at),
        readOffset(bytes, at + 8),
      );
    case frameType.datagram:
      return sink.onDatagram(stream, bytes, at, end);
    case frameType.open:
      if ((bytes[at]! & ~(openFlag.datagrams | openFlag.urgent)) !== 0) {
        throw new ProtocolError("bad-frame", `OPEN has flags ${bytes[at]}`);
      }
      return sink.onOpen(
        stream,
        bytes[at]!,
        readOffset(bytes, at + 1),
        bytes.subarray(at + 9, end),
      );
    case frameType.accept:
      return sink.onAccept(stream, readOffset(bytes, at));
    case frameType.refuse:
      return sink.onRefuse(
        stream,
        decodeRefusal(bytes[at]!),
        readDetail(bytes.subarray(at + 1, end)),
      );
    case frameType.end:
      return sink.onEnd(
        stream,
        readOffset(bytes, at),
        readOffset(bytes, at + 8),
      );
    case frameType.resume:
      return sink.onResume(
        stream,
        readOffset(bytes, at),
        readOffset(bytes, at + 8),
      );
    case frameType.reset:
      return sink.onReset(
        stream,
        bytes[at]!,
        readDetail(bytes.subarray(at + 1, end)),
      );
    case frameType.ping:
      return sink.onPing(readU32(bytes, at), readU32(bytes, at + 4));
    case frameType.pong:
      return sink.onPong(readU32(bytes, at), readU32(bytes, at + 4));
    case frameType.goaway:
      return sink.onGoaway(
        bytes[at]!,
        readDetail(bytes.subarray(at + 1, end)),
      );
    case frameType.moved: {
      const phase = bytes[at + 4]!;
      if (phase !== movePhase.begins && phase !== movePhase.told) {
        throw new ProtocolError("bad-frame", `MOVED has phase ${phase}`);
      }
      return sink.onMoved(readU32(bytes, at), phase);
    }
    default:
      throw new ProtocolError("unexpected-frame", "a second greeting");
  }
}
