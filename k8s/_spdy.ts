/**
 * One port of a pod over SPDY/3.1: an error stream and a data stream, over a WebSocket's messages or the bare
 * connection.
 *
 * 1. Both streams are opened in one go; the cluster's reply to the data stream says that it took them.
 * 2. A write becomes one data frame in one buffer, one write below.
 * 3. A read copies what is at hand of the data stream straight from the buffer of the connection; on the way errors are
 *    collected and pings answered.
 *
 * The server gives no credit and wants none on this protocol, whatever SPDY/3.1 says (moby/spdystream).
 */
import { type Conn, ConnResetError } from "../net/mod.ts";
import type { ByteSource } from "./_byte_source.ts";
import type { ByteSink } from "./_outbox.ts";
import { PodError } from "./_pod_error.ts";
import {
  controlTypes,
  decodeSpdyHeader,
  encodeDataHeader,
  encodePing,
  encodeSynStream,
  flagFin,
  headerBytes,
  type SpdyHeader,
} from "./_spdy_frame.ts";

/** Ids of a client's streams are odd. */
const errorStream = 1;
const dataStream = 3;
/** The longest payload of a data frame that we send. */
const longestPayload = 128 * 1024;
/** How long an ended flow without a byte waits for an error, in ms. */
const lastWordsMs = 1_000;
/** Of control frames only the first fields count. */
const fieldBytes = 8;

export interface SpdyBelow {
  /** Closed with the flow. */
  conn: Pick<Conn, "close">;
  source: ByteSource;
  sink: ByteSink;
  /** Takes answers to pings. */
  answer: (frame: Uint8Array) => void;
}

export class SpdyConn implements Conn {
  readonly #below: SpdyBelow;
  readonly #out: Uint8Array;
  readonly #header = new Uint8Array(headerBytes);
  readonly #fields = new Uint8Array(fieldBytes);
  readonly #podError = new PodError();
  readonly #replied = new Set<number>();
  /** Octets of header or, with a frame, of fields that are there. */
  #collected = 0;
  /** The frame whose payload comes next. */
  #frame: SpdyHeader | undefined;
  #missing = 0;
  #answered = false;
  /** Streams on which the peer sends no more. */
  readonly #ended = new Set<number>();
  #failure: Error | undefined;

  private constructor(below: SpdyBelow) {
    this.#below = below;
    const { headroom } = below.sink;
    this.#out = new Uint8Array(headroom + headerBytes + longestPayload);
  }

  /**
   * Opens the flow to `port`.
   *
   * @throws {ConnResetError} when the server does not take the streams.
   */
  static async open(below: SpdyBelow, port: number): Promise<SpdyConn> {
    const conn = new SpdyConn(below);
    const headers = (streamtype: string) => ({
      streamtype,
      port: String(port),
      requestid: "0",
    });
    const opening = new Uint8Array([
      ...new Uint8Array(below.sink.headroom),
      ...encodeSynStream({
        stream: errorStream,
        flags: flagFin,
        headers: headers("error"),
        first: true,
      }),
      ...encodeSynStream({
        stream: dataStream,
        headers: headers("data"),
        first: false,
      }),
    ]);
    await below.sink.send(opening, below.sink.headroom, opening.length);
    // The pod may speak before the error stream's reply comes, and its bytes are not for here: one reply must do.
    while (!conn.#replied.has(dataStream)) {
      conn.#take(noRoom);
      if (conn.#failure) throw conn.#failure;
      if (!conn.#replied.has(dataStream) && !await below.source.fill()) {
        throw conn.#cut();
      }
    }
    return conn;
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const count = this.#take(into);
      if (count > 0) return count;
      if (this.#failure) throw this.#failure;
      if (this.#dataEnded) return await this.#lastWords(into);
      if (!await this.#below.source.fill()) throw this.#failure = this.#cut();
    }
  }

  /** A port that nobody listens on ends the data stream at once; the error may come after that. */
  async #lastWords(into: Uint8Array): Promise<null> {
    const silent = () =>
      !this.#answered && !this.#ended.has(errorStream) &&
      this.#failure === undefined;
    const { promise, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), lastWordsMs);
    try {
      while (
        silent() && await Promise.race([this.#below.source.fill(), promise])
      ) {
        this.#take(into);
      }
    } finally {
      clearTimeout(timer);
    }
    this.#answered = true;
    if (this.#failure) throw this.#failure;
    return null;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#failure) throw this.#failure;
    const length = Math.min(bytes.length, longestPayload);
    const { sink } = this.#below;
    const at = sink.headroom;
    encodeDataHeader(this.#out, { at, stream: dataStream, length });
    const payload = length === bytes.length ? bytes : bytes.subarray(0, length);
    this.#out.set(payload, at + headerBytes);
    await sink.send(this.#out, at, at + headerBytes + length);
    return length;
  }

  async closeWrite(): Promise<void> {
    const { sink } = this.#below;
    const frame = new Uint8Array(sink.headroom + headerBytes);
    const at = sink.headroom;
    encodeDataHeader(frame, {
      at,
      stream: dataStream,
      flags: flagFin,
      length: 0,
    });
    await sink.send(frame, at, frame.length);
  }

  close(): void {
    this.#failure ??= new ConnResetError("Cannot go on: the flow is closed");
    this.#below.conn.close();
  }

  reset(): void {
    this.close();
  }

  /** Takes what is at hand; copies what is the data stream's, until `into` is full. Returns how much it copied. */
  #take(into: Uint8Array): number {
    const { source } = this.#below;
    let copied = 0;
    while (this.#failure === undefined) {
      const bytes = source.peek();
      if (bytes.length === 0) break;
      if (this.#frame === undefined) {
        source.consume(this.#collect(bytes, this.#header));
        if (this.#collected === headerBytes) this.#begin();
        continue;
      }
      let count = Math.min(bytes.length, this.#missing);
      if (this.#frame.control) {
        this.#collect(bytes.subarray(0, count), this.#fields);
      } else if (this.#frame.stream === dataStream && !this.#dataEnded) {
        count = Math.min(count, into.length - copied);
        if (count === 0) break;
        into.set(bytes.subarray(0, count), copied);
        copied += count;
        this.#answered = true;
      } else if (this.#frame.stream === errorStream) {
        this.#podError.add(bytes.subarray(0, count));
      }
      source.consume(count);
      this.#missing -= count;
      if (this.#missing === 0) this.#end(this.#frame);
    }
    return copied;
  }

  /** Copies into the rest of `to`; returns how much. */
  #collect(bytes: Uint8Array, to: Uint8Array): number {
    const count = Math.min(bytes.length, to.length - this.#collected);
    to.set(bytes.subarray(0, count), this.#collected);
    this.#collected += count;
    return count;
  }

  #begin(): void {
    this.#collected = 0;
    try {
      this.#frame = decodeSpdyHeader(this.#header);
    } catch (cause) {
      this.#failure = new ConnResetError("Cannot go on: no SPDY", { cause });
      return;
    }
    this.#missing = this.#frame.length;
    if (this.#missing === 0) this.#end(this.#frame);
  }

  #end(frame: SpdyHeader): void {
    const collected = this.#collected;
    this.#frame = undefined;
    this.#collected = 0;
    if (!frame.control) {
      if (frame.flags & flagFin) this.#finish(frame.stream);
      return;
    }
    if (collected < 4) return;
    const view = new DataView(this.#fields.buffer);
    const id = view.getUint32(0) & 0x7fffffff;
    if (frame.type === controlTypes.synReply) {
      this.#replied.add(id);
      if (frame.flags & flagFin) this.#finish(id);
    } else if (frame.type === controlTypes.ping) {
      // Those that a server begins are even; an odd one would be the answer to ours.
      if (id % 2 === 0) this.#below.answer(encodePing(id));
    } else if (frame.type === controlTypes.rstStream) {
      const status = collected < 8 ? 0 : view.getUint32(4);
      this.#failure = this.#podError.isEmpty
        ? new ConnResetError(`Cannot go on: stream ${id} reset, ${status}`)
        : this.#podError.toError(this.#answered);
    }
  }

  get #dataEnded(): boolean {
    return this.#ended.has(dataStream);
  }

  /** The peer sends no more on the stream. */
  #finish(stream: number): void {
    this.#ended.add(stream);
    if (stream === errorStream && !this.#podError.isEmpty) {
      this.#failure = this.#podError.toError(this.#answered);
    }
  }

  /** The connection ended before the stream did. */
  #cut(): Error {
    return this.#podError.isEmpty
      ? new ConnResetError("Cannot go on: the API server hung up")
      : this.#podError.toError(this.#answered);
  }
}

const noRoom = new Uint8Array(0);
