/** Encodes frames, one behind the other, into one buffer that goes to the carrier in one piece. */
import {
  dataHeadBytes,
  encodeRefusal,
  frameType,
  headerBytes,
  maxDataBytes,
  maxDetailBytes,
  type MovePhase,
} from "./frame.ts";
import type { Refusal } from "../net/mod.ts";
import { encodeText, writeOffset, writeU32 } from "./_bytes.ts";

/** Writes what stands before a full payload of DATA. */
export function writeDataHead(
  bytes: Uint8Array,
  at: number,
  { stream, offset }: { stream: number; offset: number },
): void {
  const length = dataHeadBytes + maxDataBytes;
  writeU32(bytes, at, frameType.data << 24 | length);
  writeU32(bytes, at + 4, stream);
  writeOffset(bytes, at + headerBytes, offset);
}

/** Writes a whole PING. */
export function writePing(bytes: Uint8Array, at: number, token: number): void {
  writeU32(bytes, at, frameType.ping << 24 | 8);
  writeU32(bytes, at + 4, 0);
  writeU32(bytes, at + 8, 0);
  writeU32(bytes, at + 12, token);
}

/**
 * Frames that await their carrier. Each method appends one frame; the caller has checked that there is {@link room}.
 * No method keeps what it is given.
 */
export class Batch {
  readonly bytes: Uint8Array;
  /** How many of {@link bytes} are filled. */
  length = 0;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  /** Bytes that are still free. */
  get room(): number {
    return this.bytes.length - this.length;
  }

  clear(): void {
    this.length = 0;
  }

  open(stream: number, flags: number, maySendTo: number, target: Uint8Array) {
    const at = this.#header(frameType.open, 9 + target.length, stream);
    this.bytes[at] = flags;
    writeOffset(this.bytes, at + 1, maySendTo);
    this.bytes.set(target, at + 9);
  }

  accept(stream: number, maySendTo: number): void {
    const at = this.#header(frameType.accept, 8, stream);
    writeOffset(this.bytes, at, maySendTo);
  }

  refuse(stream: number, refusal: Refusal, detail: string): void {
    this.#coded(frameType.refuse, stream, encodeRefusal(refusal), detail);
  }

  /** DATA with the bytes `from` (included) to `to` (excluded) of `source`, of which there is at least one. */
  data(
    stream: number,
    offset: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): void {
    const at = this.#header(frameType.data, dataHeadBytes + to - from, stream);
    writeOffset(this.bytes, at, offset);
    this.bytes.set(
      from === 0 && to === source.length ? source : source.subarray(from, to),
      at + dataHeadBytes,
    );
  }

  /** DATAGRAM with room for `length` bytes. Returns where in {@link bytes} they belong. */
  datagram(stream: number, length: number): number {
    return this.#header(frameType.datagram, length, stream);
  }

  credit(stream: number, receivedTo: number, maySendTo: number): void {
    this.#offsets(frameType.credit, stream, receivedTo, maySendTo);
  }

  /** What this end has, and how far the other may send, on a stream that moves. */
  resume(stream: number, receivedTo: number, maySendTo: number): void {
    this.#offsets(frameType.resume, stream, receivedTo, maySendTo);
  }

  end(stream: number, offset: number, receivedTo: number): void {
    this.#offsets(frameType.end, stream, offset, receivedTo);
  }

  reset(stream: number, reason: number, detail: string): void {
    this.#coded(frameType.reset, stream, reason, detail);
  }

  ping(high: number, low: number): void {
    this.#echo(frameType.ping, high, low);
  }

  pong(high: number, low: number): void {
    this.#echo(frameType.pong, high, low);
  }

  goaway(reason: number, detail: string): void {
    this.#coded(frameType.goaway, 0, reason, detail);
  }

  moved(carrier: number, phase: MovePhase): void {
    const at = this.#header(frameType.moved, 5, 0);
    writeU32(this.bytes, at, carrier);
    this.bytes[at + 4] = phase;
  }

  /** WELCOME, HELLO or JOIN, whose bodies are made by `greeting.ts`. */
  greeting(type: number, body: Uint8Array): void {
    this.bytes.set(body, this.#header(type, body.length, 0));
  }

  #offsets(type: number, stream: number, first: number, second: number) {
    const at = this.#header(type, 16, stream);
    writeOffset(this.bytes, at, first);
    writeOffset(this.bytes, at + 8, second);
  }

  #echo(type: number, high: number, low: number): void {
    const at = this.#header(type, 8, 0);
    writeU32(this.bytes, at, high);
    writeU32(this.bytes, at + 4, low);
  }

  #coded(type: number, stream: number, code: number, detail: string): void {
    const text = encodeText(detail, maxDetailBytes);
    const at = this.#header(type, 1 + text.length, stream);
    this.bytes[at] = code;
    this.bytes.set(text, at + 1);
  }

  /** Writes a header, takes the room of the body, returns where the body begins. */
  #header(type: number, length: number, stream: number): number {
    const at = this.length;
    writeU32(this.bytes, at, type << 24 | length);
    writeU32(this.bytes, at + 4, stream);
    this.length = at + headerBytes + length;
    return at + headerBytes;
  }
}
