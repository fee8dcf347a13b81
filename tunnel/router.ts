/** Passes each frame of one carrier on to the stream it is about; a stream that is over gets none. */
import type { Refusal } from "../net/mod.ts";
import type { Carrier } from "./carrier.ts";
import type { FrameSink } from "./decoder.ts";
import { type MovePhase, resetReason } from "./frame.ts";
import type { Moves } from "./moves.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { Stream } from "./stream.ts";
import type { Streams } from "./streams.ts";

export interface RouterOptions {
  carrier: Carrier;
  streams: Streams;
  moves: Moves;
  onGoaway: (carrier: Carrier, reason: number, detail: string) => void;
}

export class Router implements FrameSink {
  readonly #carrier: Carrier;
  readonly #streams: Streams;
  readonly #moves: Moves;
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#carrier = options.carrier;
    this.#streams = options.streams;
    this.#moves = options.moves;
  }

  onOpen(
    stream: number,
    flags: number,
    maySendTo: number,
    target: Uint8Array,
  ): void {
    if (this.#carrier.isGivenUp) return;
    const what = { flags, maySendTo, target };
    this.#streams.onOpen(this.#carrier, stream, what);
  }

  onAccept(stream: number, maySendTo: number): void {
    this.#find(stream)?.onAccept(maySendTo);
  }

  onRefuse(stream: number, refusal: Refusal, detail: string): void {
    this.#find(stream)?.onRefuse(refusal, detail);
  }

  onData(
    stream: number,
    offset: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    this.#find(stream)?.onData(offset, bytes, from, to);
  }

  onDatagram(
    stream: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    this.#find(stream)?.onDatagram(bytes, from, to);
  }

  onCredit(stream: number, receivedTo: number, maySendTo: number): void {
    this.#find(stream)?.onCredit(receivedTo, maySendTo);
  }

  onResume(stream: number, receivedTo: number, maySendTo: number): void {
    const { answersResume } = this.#moves;
    this.#moves.onResume(stream, this.#carrier);
    const found = this.#attached(stream);
    if (found !== undefined) {
      found.onResume(receivedTo, maySendTo, answersResume);
    } else if (answersResume) {
      this.#streams.onResumeOver(this.#carrier, stream);
    } else {
      this.#streams.table.checkOver(stream);
    }
  }

  onEnd(stream: number, offset: number, receivedTo: number): void {
    this.#find(stream)?.onEnd(offset, receivedTo);
  }

  onReset(stream: number, reason: number, detail: string): void {
    const { table } = this.#streams;
    if (this.#isLateReset(table.get(stream), reason)) return;
    const found = this.#attached(stream);
    if (found !== undefined) found.onReset(reason, detail);
    else this.#streams.onResetOver(stream);
  }

  onPing(high: number, low: number): void {
    this.#carrier.onPing(high, low);
  }

  onPong(high: number, low: number): void {
    this.#carrier.onPong(high, low);
  }

  onGoaway(reason: number, detail: string): void {
    this.#options.onGoaway(this.#carrier, reason, detail);
  }

  onMoved(carrier: number, phase: MovePhase): void {
    this.#moves.onMoved(this.#carrier, carrier, phase);
  }

  /**
   * The stream that a frame is about, unless it is over or the frame is late. While it moves, only RESUME, RESET and
   * OPEN may come.
   */
  #find(id: number): Stream | undefined {
    const stream = this.#streams.table.get(id);
    if (stream === undefined) {
      this.#streams.table.checkOver(id);
      return undefined;
    }
    const isHere = stream.carrier === this.#carrier;
    if (isHere && stream.movesFrom === undefined) return stream;
    if (stream.hasChanged) return undefined;
    if (!isHere) return this.#attached(id);
    throw new ProtocolError(
      "unexpected-frame",
      `a frame on stream ${id}, which moves`,
    );
  }

  /** Whether RESET was sent before the peer knew that its stream moves alone. */
  #isLateReset(stream: Stream | undefined, reason: number): boolean {
    if (!stream?.hasChanged) return false;
    if (stream.carrier !== this.#carrier) return true;
    return stream.movesFrom !== undefined && !this.#moves.answersResume &&
      reason !== resetReason.over;
  }

  #attached(id: number): Stream | undefined {
    const stream = this.#streams.table.get(id);
    if (stream === undefined || stream.carrier === this.#carrier) return stream;
    throw new ProtocolError(
      "wrong-carrier",
      `a frame on stream ${id}, which is on another carrier`,
    );
  }
}
