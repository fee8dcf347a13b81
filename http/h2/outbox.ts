import { quantum, writeAll } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import { H2Error } from "./error.ts";
import {
  encodeFrameHead,
  flag,
  frameHeadOctets,
  frameType,
  maxPayload,
} from "./frame.ts";
import { type H2Field } from "./hpack_decoder.ts";
import { HpackEncoder } from "./hpack_encoder.ts";
import type { H2Stream } from "./stream.ts";

/** Answers that a peer who does not read has coming: PING, SETTINGS, windows, resets. */
const maxControlOctets = 64 * 1024;
const bufferOctets = 2 * (frameHeadOctets + maxPayload);

/**
 * What a connection sends, in one buffer: first what was queued, then in turn of each stream that has something a head
 * or one frame, as far as the windows go.
 */
export class Outbox {
  readonly #conn: ByteSource;
  readonly #onSentEnd: (stream: H2Stream) => void;
  readonly #encoder = new HpackEncoder();
  readonly #buffer = new Uint8Array(bufferOctets);
  #used = 0;
  #control: Uint8Array[] = [];
  #controlOctets = 0;
  /** In the order of their turns. */
  readonly #ready = new Set<H2Stream>();
  /** Those that wait for the connection's window. */
  readonly #blocked = new Set<H2Stream>();
  #wake = Promise.withResolvers<void>();
  #isStopped = false;
  /** What the peer still takes on all streams together. */
  window = 65_535;

  constructor(conn: ByteSource, onSentEnd: (stream: H2Stream) => void) {
    this.#conn = conn;
    this.#onSentEnd = onSentEnd;
  }

  /** @throws {H2Error} when the peer reads none of what it asks for. */
  queue(frame: Uint8Array): void {
    this.#controlOctets += frame.length;
    if (this.#controlOctets > maxControlOctets) {
      throw new H2Error("calm", "answers are not read");
    }
    this.#control.push(frame);
    this.#wake.resolve();
  }

  /** The same where nobody could be told: the connection breaks off then. */
  send(frame: Uint8Array): void {
    if (this.#isStopped) return;
    try {
      this.queue(frame);
    } catch {
      this.#conn.reset();
    }
  }

  /** There is something to send on `stream`, or its window has opened. */
  wake(stream: H2Stream): void {
    if (stream.isClosed) return;
    this.#ready.add(stream);
    this.#wake.resolve();
  }

  /** The connection's window has opened. */
  unblock(): void {
    for (const stream of this.#blocked) this.wake(stream);
    this.#blocked.clear();
  }

  forget(stream: H2Stream): void {
    this.#ready.delete(stream);
    this.#blocked.delete(stream);
  }

  /** Ends after what is queued. */
  stop(): void {
    this.#isStopped = true;
    this.#wake.resolve();
  }

  /** Sends until it is stopped. Rejects when the connection broke. */
  async run(): Promise<void> {
    for (;;) {
      await this.#collectControl();
      if (!this.#isStopped) await this.#collectStreams();
      if (this.#used > 0) {
        await this.#flush();
        continue;
      }
      if (this.#isStopped && this.#control.length === 0) return;
      this.#wake = Promise.withResolvers();
      if (this.#control.length > 0 || this.#ready.size > 0 || this.#isStopped) {
        continue;
      }
      await this.#wake.promise;
    }
  }

  async #flush(): Promise<void> {
    const octets = this.#buffer.subarray(0, this.#used);
    await writeAll(this.#conn, octets);
    this.#used = 0;
    const nextTurn = quantum.spend(octets.length);
    if (nextTurn !== undefined) await nextTurn;
  }

  async #collectControl(): Promise<void> {
    const frames = this.#control;
    this.#control = [];
    for (const frame of frames) {
      await this.#put(frame);
      this.#controlOctets -= frame.length;
    }
  }

  async #put(octets: Uint8Array): Promise<void> {
    if (this.#used + octets.length > bufferOctets && this.#used > 0) {
      await this.#flush();
    }
    if (octets.length > bufferOctets) return await writeAll(this.#conn, octets);
    this.#buffer.set(octets, this.#used);
    this.#used += octets.length;
  }

  async #collectStreams(): Promise<void> {
    for (const stream of this.#ready) {
      if (this.#control.length > 0) return;
      this.#ready.delete(stream);
      if (stream.isClosed || stream.hasSentEnd) continue;
      const head = stream.heads.shift();
      if (head !== undefined) {
        stream.isOnWire = true;
        // Marked first: while a long head is written, the stream may be reset.
        if (head.ends) this.#end(stream);
        else this.#ready.add(stream);
        await this.#put(this.#headFrames(stream, head.fields, head.ends));
      } else if (!await this.#collectData(stream)) return;
    }
  }

  /** False when the buffer is full. */
  async #collectData(stream: H2Stream): Promise<boolean> {
    const lane = stream.outgoing;
    if (lane === undefined) return true;
    const { end } = lane;
    if (lane.size === 0) {
      if (end === undefined) return true;
      this.#end(stream);
      await this.#put(
        end.trailers.length > 0
          ? this.#headFrames(stream, end.trailers, true)
          : this.#emptyData(stream),
      );
      return true;
    }
    const room = bufferOctets - this.#used - frameHeadOctets;
    if (room < Math.min(lane.size, maxPayload)) {
      this.#ready.add(stream);
      return false;
    }
    const allowed = Math.min(maxPayload, stream.sendWindow, this.window);
    if (allowed <= 0) {
      if (stream.sendWindow > 0) this.#blocked.add(stream);
      return true;
    }
    const length = lane.take(
      this.#buffer,
      this.#used + frameHeadOctets,
      allowed,
    );
    stream.sendWindow -= length;
    this.window -= length;
    const ends = lane.size === 0 && lane.end?.trailers.length === 0;
    encodeFrameHead(this.#buffer, this.#used, {
      length,
      type: frameType.data,
      flags: ends ? flag.endStream : 0,
      streamId: stream.id,
    });
    this.#used += frameHeadOctets + length;
    if (ends) this.#end(stream);
    else if (lane.size > 0 || lane.end !== undefined) this.#ready.add(stream);
    return true;
  }

  #end(stream: H2Stream): void {
    stream.hasSentEnd = true;
    this.#onSentEnd(stream);
  }

  #emptyData({ id }: H2Stream): Uint8Array {
    const frame = new Uint8Array(frameHeadOctets);
    encodeFrameHead(frame, 0, {
      length: 0,
      type: frameType.data,
      flags: flag.endStream,
      streamId: id,
    });
    return frame;
  }

  /** HEADERS and as many CONTINUATION as it takes. */
  #headFrames(
    { id }: H2Stream,
    fields: readonly H2Field[],
    ends: boolean,
  ): Uint8Array {
    const block = this.#encoder.encode(fields);
    const frames = Math.max(1, Math.ceil(block.length / maxPayload));
    const octets = new Uint8Array(block.length + frames * frameHeadOctets);
    for (let frame = 0, at = 0; frame < frames; frame++) {
      const part = block.subarray(frame * maxPayload, (frame + 1) * maxPayload);
      encodeFrameHead(octets, at, {
        length: part.length,
        type: frame === 0 ? frameType.headers : frameType.continuation,
        flags: (frame === 0 && ends ? flag.endStream : 0) |
          (frame === frames - 1 ? flag.endHeaders : 0),
        streamId: id,
      });
      octets.set(part, at + frameHeadOctets);
      at += frameHeadOctets + part.length;
    }
    return octets;
  }
}
