import { H2Error } from "./error.ts";
import { codeOf, maxWindow, resetFrame, windowFrame } from "./frame.ts";
import type { Outbox } from "./outbox.ts";
import type { RateBound } from "./rate_bound.ts";
import type { ReceiveCredit } from "./receive_credit.ts";
import { H2Stream } from "./stream.ts";

export interface StreamsParts {
  readonly isServer: boolean;
  readonly outbox: Outbox;
  readonly credit: ReceiveCredit;
  /** Counts frames that cost the peer little and carry nothing. */
  readonly idleFrames: RateBound;
  /** Called when a stream has closed. */
  readonly onRoom: () => void;
}

/** The streams of one connection, each until both sides have ended it or one has reset it. */
export class H2Streams {
  readonly #parts: StreamsParts;
  readonly #open = new Map<number, H2Stream>();
  #lastId = 0;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** The highest id that the client of the connection has used. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Whether there is an id for one more. */
  get hasIds(): boolean {
    return this.#lastId <= maxWindow - 2;
  }

  get(id: number): H2Stream | undefined {
    return this.#open.get(id);
  }

  /** Those that are open at this moment. */
  all(): H2Stream[] {
    return [...this.#open.values()];
  }

  /** Of a client: one of ours. */
  begin(sendWindow: number): H2Stream {
    this.#lastId += this.#lastId === 0 ? 1 : 2;
    return this.#add(new H2Stream(this.#lastId, sendWindow));
  }

  /** Of a server: the one that the peer begins with a head. @throws {H2Error} when it may not, or has too many. */
  accept(
    id: number,
    { sendWindow, most }: { sendWindow: number; most: number },
  ): H2Stream {
    if (id % 2 === 0) throw new H2Error("protocol", "an even stream");
    this.#lastId = id;
    if (this.size >= most) {
      throw new H2Error("refused-stream", "too many streams", id);
    }
    const stream = new H2Stream(id, sendWindow);
    stream.isOnWire = true;
    return this.#add(stream);
  }

  #add(stream: H2Stream): H2Stream {
    this.#open.set(stream.id, stream);
    stream.incoming.onConsumed = (octets) => this.consumed(stream, octets);
    return stream;
  }

  /** So much of what the peer sent on it has gone on: it may send as much again. */
  consumed(stream: H2Stream, octets: number): void {
    const { credit, outbox } = this.#parts;
    credit.release(octets);
    if (stream.hasReceivedEnd || stream.isClosed) return;
    const owed = stream.owe(octets);
    if (owed > 0) outbox.send(windowFrame(stream.id, owed));
  }

  /** Something has ended on it. */
  closeIfDone(stream: H2Stream): void {
    if (!stream.hasSentEnd) return;
    if (stream.hasReceivedEnd) this.#remove(stream);
    else if (stream.resetAfterEnd !== undefined) {
      this.reset(stream, stream.resetAfterEnd);
    }
  }

  /** We break it off. Nothing happens to one that is closed. */
  reset(stream: H2Stream, code: number): void {
    if (stream.isClosed) return;
    const { isServer, outbox } = this.#parts;
    this.#remove(stream);
    stream.incoming.discard();
    if (isServer || stream.isOnWire) {
      outbox.send(resetFrame(stream.id, code));
    }
  }

  /** It was broken off. */
  break(stream: H2Stream, code: number, isLost = false): void {
    this.#remove(stream);
    stream.onReset(code, isLost);
  }

  /** The connection is over. */
  breakAll(): void {
    const code = codeOf(this.#parts.isServer ? "cancel" : "internal");
    for (const stream of this.all()) this.break(stream, code, true);
  }

  /** Frames for a stream that is over may still be on their way. @throws {H2Error} if it never was. */
  ignoreClosed(id: number): void {
    if (id % 2 === 0 || id > this.#lastId) {
      throw new H2Error("protocol", "a frame for a stream that never was");
    }
    this.#parts.idleFrames.spend();
  }

  #remove(stream: H2Stream): void {
    if (stream.isClosed) return;
    stream.isClosed = true;
    this.#open.delete(stream.id);
    this.#parts.outbox.forget(stream);
    // What came whole may still go on.
    if (!stream.hasReceivedEnd) {
      stream.incoming.discard();
      for (const cancel of stream.onCancel) cancel();
    }
    this.#parts.onRoom();
  }
}
