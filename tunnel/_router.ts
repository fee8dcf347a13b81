/** Passes each frame on to the stream it is about; a stream that is over gets none. */
import type { Refusal } from "../net/mod.ts";
import type { FrameSink } from "./decoder.ts";
import type { StreamTable } from "./stream_table.ts";

/** What a session does itself with frames. */
export type SessionFrames = Pick<
  FrameSink,
  "onOpen" | "onPing" | "onPong" | "onGoaway"
>;

export class Router implements FrameSink {
  readonly #table: StreamTable;
  readonly #session: SessionFrames;

  constructor(table: StreamTable, session: SessionFrames) {
    this.#table = table;
    this.#session = session;
  }

  onOpen(
    stream: number,
    flags: number,
    maySendTo: number,
    target: Uint8Array,
  ): void {
    this.#session.onOpen(stream, flags, maySendTo, target);
  }

  onAccept(stream: number, maySendTo: number): void {
    this.#table.find(stream)?.onAccept(maySendTo);
  }

  onRefuse(stream: number, refusal: Refusal, detail: string): void {
    this.#table.find(stream)?.onRefuse(refusal, detail);
  }

  onData(
    stream: number,
    offset: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    this.#table.find(stream)?.onData(offset, bytes, from, to);
  }

  onDatagram(
    stream: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    this.#table.find(stream)?.onDatagram(bytes, from, to);
  }

  onCredit(stream: number, receivedTo: number, maySendTo: number): void {
    this.#table.find(stream)?.onCredit(receivedTo, maySendTo);
  }

  onEnd(stream: number, offset: number): void {
    this.#table.find(stream)?.onEnd(offset);
  }

  onReset(stream: number, reason: number, detail: string): void {
    this.#table.find(stream)?.onReset(reason, detail);
  }

  onPing(high: number, low: number): void {
    this.#session.onPing(high, low);
  }

  onPong(high: number, low: number): void {
    this.#session.onPong(high, low);
  }

  onGoaway(reason: number, detail: string): void {
    this.#session.onGoaway(reason, detail);
  }
}
