import { type Refusal, RefusedError } from "../net/mod.ts";
import type { Batch } from "./batch.ts";
import { ByteStream } from "./byte_stream.ts";
import { DatagramStream } from "./datagram_stream.ts";
import { headerBytes, openFlag, resetReason } from "./frame.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { Stream, type StreamHost } from "./stream.ts";

const resetRoom = 64;

export interface OutgoingOpenOptions {
  target: Uint8Array;
  isDatagrams: boolean;
  isUrgent: boolean;
  signal: AbortSignal | undefined;
}

/**
 * A stream that this end opens and the peer has not answered. It becomes a {@link ByteStream} or a
 * {@link DatagramStream} when it is accepted.
 */
export class OutgoingOpen extends Stream {
  readonly #host: StreamHost;
  readonly #options: OutgoingOpenOptions;
  readonly #window: ReceiveWindow | undefined;
  readonly #answer = Promise.withResolvers<ByteStream | DatagramStream>();
  #isCancelled = false;
  #isOver = false;

  constructor(host: StreamHost, options: OutgoingOpenOptions) {
    super(0, options.isUrgent);
    this.#host = host;
    this.#options = options;
    if (!options.isDatagrams) this.#window = new ReceiveWindow(host.windows);
    options.signal?.addEventListener("abort", this.#onAbort);
    host.sendControl(this);
  }

  /** Rejects with RefusedError, or with the reason of the signal. */
  get answer(): Promise<ByteStream | DatagramStream> {
    return this.#answer.promise;
  }

  override emitControl(batch: Batch): boolean {
    if (this.#isOver) return true;
    return this.emitMove(batch);
  }

  /** Nothing but OPEN is known of it, and that is sent again. */
  override hold(): boolean {
    return false;
  }

  /** OPEN, or RESET when it is no longer wanted: the same at first and when the stream moves. */
  override emitMove(batch: Batch): boolean {
    if (this.#isOver) return true;
    if (this.#isCancelled) {
      if (batch.room < resetRoom) return false;
      batch.reset(this.id, resetReason.cancelled, "");
      this.#finish();
      this.#host.remove(this);
      return true;
    }
    const { target, isDatagrams } = this.#options;
    if (batch.room < headerBytes + 9 + target.length) return false;
    if (this.id === 0) this.id = this.#host.assignId(this);
    const flags = (isDatagrams ? openFlag.datagrams : 0) |
      (this.isUrgent ? openFlag.urgent : 0);
    batch.open(this.id, flags, this.#window?.maySendTo ?? 0, target);
    return true;
  }

  override onAccept(maySendTo: number): void {
    if (this.#isCancelled) return;
    const { id, isUrgent } = this;
    const stream = this.#window === undefined
      ? new DatagramStream(this.#host, id, isUrgent, false)
      : new ByteStream(this.#host, {
        id,
        isUrgent,
        maySendTo,
        window: this.#window,
        isAcceptDue: false,
      });
    this.#isOver = true;
    this.#forgetSignal();
    stream.carrier = this.carrier;
    this.#host.replace(stream);
    this.#answer.resolve(stream);
  }

  /** The peer has accepted, but the stream is open only once ACCEPT, which it sends again, has come. */
  override onResume(): void {}

  override onRefuse(refusal: Refusal, detail: string): void {
    this.#finish();
    this.#host.remove(this);
    this.#answer.reject(new RefusedError(refusal, detail));
  }

  override onReset(_reason: number, detail: string): void {
    this.onRefuse("failed", detail || "the peer reset the stream");
  }

  override onSessionEnd(detail: string): void {
    this.onRefuse("gone", `the session ended: ${detail}`);
  }

  readonly #onAbort = () => {
    this.#answer.reject(this.#options.signal!.reason);
    this.#isCancelled = true;
    if (this.id === 0) {
      this.#finish();
      this.#host.remove(this);
    } else {
      this.#host.sendControl(this);
    }
  };

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#forgetSignal();
    this.#window?.giveBack();
  }

  #forgetSignal(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}
