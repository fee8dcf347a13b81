import {
  type Conn,
  ConnResetError,
  type Datagrams,
  type Refusal,
} from "../net/mod.ts";
import type { Batch } from "./batch.ts";
import { ByteStream } from "./byte_stream.ts";
import { DatagramStream } from "./datagram_stream.ts";
import { headerBytes, maxDetailBytes } from "./frame.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { Stream, type StreamHost } from "./stream.ts";

const refuseRoom = headerBytes + 1 + maxDetailBytes;

/** A stream that the peer wants to open. One of accept, acceptDatagrams and refuse answers it; the first one counts. */
export interface Incoming {
  /** What the peer wants, as it said it. */
  readonly target: Uint8Array;
  /** Whether it is to carry datagrams (then answer with {@link acceptDatagrams}) or bytes. */
  readonly datagrams: boolean;
  /** Aborts when the peer does not wait any more, or the session ends, before the answer. */
  readonly signal: AbortSignal;
  /**
   * After {@link signal} has aborted, the flow that comes back is already broken off.
   *
   * @throws {TypeError} when it was answered before, or is to carry datagrams.
   */
  accept(): Conn;
  /** As {@link accept}, for datagrams. */
  acceptDatagrams(): Datagrams;
  /** No effect when it was answered before. `detail` is for people. */
  refuse(refusal: Refusal, detail: string): void;
}

export interface IncomingOpenOptions {
  id: number;
  isUrgent: boolean;
  isDatagrams: boolean;
  maySendTo: number;
  target: Uint8Array;
  /** Called once when it does not wait for its answer any more. */
  onAnswered: () => void;
}

/** {@link Incoming} as an entry of the table of streams. */
export class IncomingOpen extends Stream implements Incoming {
  readonly target: Uint8Array;
  readonly datagrams: boolean;
  readonly #host: StreamHost;
  readonly #options: IncomingOpenOptions;
  #controller: AbortController | undefined;
  #state: "waiting" | "answered" | "cancelled" = "waiting";
  #refusal: { refusal: Refusal; detail: string } | undefined;

  constructor(host: StreamHost, options: IncomingOpenOptions) {
    super(options.id, options.isUrgent);
    this.#host = host;
    this.#options = options;
    this.target = options.target;
    this.datagrams = options.isDatagrams;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#state === "cancelled") this.#abort();
    return this.#controller.signal;
  }

  accept(): Conn {
    this.#checkAnswer(false);
    const { id, isUrgent } = this;
    const stream = new ByteStream(this.#host, {
      id,
      isUrgent,
      maySendTo: this.#options.maySendTo,
      window: new ReceiveWindow(this.#host.windows),
      isAcceptDue: true,
    });
    this.#become(stream);
    return stream;
  }

  acceptDatagrams(): Datagrams {
    this.#checkAnswer(true);
    const { id, isUrgent } = this;
    const stream = new DatagramStream(this.#host, id, isUrgent, true);
    this.#become(stream);
    return stream;
  }

  refuse(refusal: Refusal, detail: string): void {
    if (this.#state !== "waiting") return;
    this.#state = "answered";
    this.#options.onAnswered();
    this.#refusal = { refusal, detail };
    this.#host.sendControl(this);
  }

  override emitControl(batch: Batch): boolean {
    if (this.movesFrom !== undefined) return true;
    if (batch.room < refuseRoom) return false;
    if (this.#refusal !== undefined && this.#state === "answered") {
      batch.refuse(this.id, this.#refusal.refusal, this.#refusal.detail);
      this.#host.remove(this);
    }
    return true;
  }

  /** Says nothing: the acceptor, whose OPEN it is, sends it again. */
  override emitMove(_batch: Batch): boolean {
    return true;
  }

  override onOpenAgain(): void {
    this.movesFrom = undefined;
    if (this.#refusal !== undefined) this.#host.sendControl(this);
  }

  override onReset(_reason: number, _detail: string): void {
    if (this.#state === "waiting") this.#options.onAnswered();
    this.#state = "cancelled";
    this.#abort();
    this.#host.remove(this);
  }

  override onSessionEnd(): void {
    this.onReset(0, "");
  }

  #abort(): void {
    this.#controller?.abort(
      new ConnResetError("Cannot answer: the peer does not wait any more"),
    );
  }

  #checkAnswer(isDatagrams: boolean): void {
    if (this.#state === "answered") {
      throw new TypeError("Cannot accept a stream: it was answered before");
    }
    if (this.datagrams !== isDatagrams) {
      throw new TypeError(
        "Cannot accept a stream: it carries " +
          (this.datagrams ? "datagrams, not bytes" : "bytes, not datagrams"),
      );
    }
  }

  #become(stream: ByteStream | DatagramStream): void {
    if (this.#state === "cancelled") {
      stream.onReset(0, "the peer did not wait for the answer");
      return;
    }
    this.#state = "answered";
    this.#options.onAnswered();
    stream.carrier = this.carrier;
    stream.movesFrom = this.movesFrom;
    this.#host.replace(stream);
    this.#host.sendControl(stream);
  }
}
