/** A WebSocket's messages as bytes, over an upgraded connection (RFC 6455). */
import { ConnResetError } from "../net/mod.ts";
import { type ByteSource, type ConnSource, noBytes } from "./_byte_source.ts";
import type { ByteSink, Outbox } from "./_outbox.ts";
import {
  decodeFrameHeader,
  encodeFrame,
  longestHeader,
  opcodes,
} from "./_websocket_frame.ts";

/** Room for a frame's header; a multiple of 4, so that payloads are masked by words. */
const headroom = (longestHeader + 3) & ~3;

/** What is sent becomes one binary message. */
export class WebSocketSink implements ByteSink {
  readonly headroom = headroom;
  readonly #below: Outbox;

  constructor(below: Outbox) {
    this.#below = below;
  }

  send(buffer: Uint8Array, from: number, to: number): Promise<void> {
    const start = encodeFrame(buffer, {
      opcode: opcodes.binary,
      from,
      to,
      key: randomKey(),
    });
    return this.#below.send(buffer, start, to);
  }

  /** Sends a short frame of our own when its turn comes. */
  sendShort(opcode: number, payload: Uint8Array): void {
    const to = headroom + payload.length;
    const buffer = new Uint8Array(to);
    buffer.set(payload, headroom);
    const key = randomKey();
    const start = encodeFrame(buffer, { opcode, from: headroom, to, key });
    this.#below.sendShort(buffer.subarray(start, to));
  }
}

const keys = new Int32Array(256);
let keyAt = keys.length;

/** Unpredictable, as RFC 6455 section 5.3 wants it; drawn in bulk. */
function randomKey(): number {
  if (keyAt === keys.length) {
    crypto.getRandomValues(keys);
    keyAt = 0;
  }
  return keys[keyAt++]!;
}

/** The payloads of binary messages. Pings are answered while it is read. */
export class WebSocketSource implements ByteSource {
  readonly #below: ConnSource;
  readonly #sink: WebSocketSink;
  /** Octets of the frame's payload that are still to come. */
  #missing = 0;
  #startsMessage = false;
  #closed = false;

  constructor(below: ConnSource, sink: WebSocketSink) {
    this.#below = below;
    this.#sink = sink;
  }

  /** Whether the next byte is the first of a message. */
  get startsMessage(): boolean {
    return this.#startsMessage;
  }

  peek(): Uint8Array {
    if (this.#missing === 0) this.#advance();
    if (this.#missing === 0) return noBytes;
    const bytes = this.#below.peek();
    return bytes.length > this.#missing
      ? bytes.subarray(0, this.#missing)
      : bytes;
  }

  consume(count: number): void {
    if (count === 0) return;
    this.#below.consume(count);
    this.#missing -= count;
    this.#startsMessage = false;
  }

  async fill(): Promise<boolean> {
    for (;;) {
      if (this.#closed) return false;
      if (!await this.#below.fill()) return false;
      if (this.peek().length > 0) return true;
    }
  }

  /** Goes on to the payload of the next data frame, as far as that is at hand. */
  #advance(): void {
    while (this.#missing === 0 && !this.#closed) {
      const bytes = this.#below.peek();
      const header = decodeHeader(bytes);
      if (header === undefined) return;
      const { opcode, length, size } = header;
      if (opcode >= opcodes.close) {
        if (bytes.length < size + length) return;
        this.#control(opcode, bytes.slice(size, size + length));
        this.#below.consume(size + length);
      } else if (opcode === opcodes.text) {
        throw new ConnResetError("Cannot go on: text in place of binary data");
      } else {
        this.#below.consume(size);
        this.#missing = length;
        this.#startsMessage ||= opcode === opcodes.binary;
      }
    }
  }

  #control(opcode: number, payload: Uint8Array): void {
    if (opcode === opcodes.ping) {
      this.#sink.sendShort(opcodes.pong, payload);
    } else if (opcode === opcodes.close) {
      this.#closed = true;
      this.#sink.sendShort(opcodes.close, payload.subarray(0, 2));
      const code = payload.length < 2 ? 1005 : payload[0]! << 8 | payload[1]!;
      // RFC 6455 section 7.4.1: 1000 is the orderly end, 1005 stands for none given.
      if (code === 1000 || code === 1005) return;
      const reason = new TextDecoder().decode(payload.subarray(2));
      throw new ConnResetError(
        `Cannot go on: closed by the server, code ${code}${
          reason && `: ${reason}`
        }`,
      );
    }
  }
}

function decodeHeader(bytes: Uint8Array) {
  try {
    return decodeFrameHeader(bytes);
  } catch (cause) {
    throw new ConnResetError("Cannot go on: no WebSocket frame", { cause });
  }
}
