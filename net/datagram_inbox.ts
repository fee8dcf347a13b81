/**
 * What a flow of datagrams received: it goes to who receives, or waits. One receiver at a time, by
 * {@link DatagramInbox.receive} or by {@link DatagramInbox.forward}, which mean what they do in `Datagrams`.
 */
export class DatagramInbox {
  readonly #waitingLimit: number;
  readonly #waiting: Uint8Array[] = [];
  #receiver: PromiseWithResolvers<number | null> | undefined;
  #into: Uint8Array | undefined;
  /** Instead of {@link #into}. */
  #take: ((bytes: Uint8Array) => void) | undefined;
  #isEnded = false;
  #failure: unknown;

  /** @param waitingLimit How many datagrams wait; more are dropped, as a socket would. */
  constructor(waitingLimit: number) {
    this.#waitingLimit = waitingLimit;
  }

  /** Takes a datagram, whose bytes are not kept. False when it was dropped. */
  put(bytes: Uint8Array): boolean {
    if (this.#isEnded) return false;
    if (this.#take !== undefined) {
      try {
        this.#take(bytes);
      } catch (error) {
        // It is for who receives, not for who sent.
        this.end(error);
      }
      return true;
    }
    if (this.#receiver !== undefined) {
      this.#receiver.resolve(copy(bytes, this.#into!));
      this.#receiver = this.#into = undefined;
      return true;
    }
    if (this.#waiting.length >= this.#waitingLimit) return false;
    this.#waiting.push(bytes.slice());
    return true;
  }

  /** What waits is still received, and then `failure` thrown, if there is one. Idempotent: the first end counts. */
  end(failure?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    if (failure !== undefined) this.#receiver?.reject(failure);
    else this.#receiver?.resolve(null);
    this.#receiver = this.#into = this.#take = undefined;
  }

  /** Drops what waits. */
  clear(): void {
    this.#waiting.length = 0;
  }

  receive(into: Uint8Array): Promise<number | null> {
    if (this.#receiver !== undefined) return Promise.reject(isReceiving());
    const bytes = this.#waiting.shift();
    if (bytes !== undefined) return Promise.resolve(copy(bytes, into));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#isEnded) return Promise.resolve(null);
    this.#into = into;
    this.#receiver = Promise.withResolvers();
    return this.#receiver.promise;
  }

  async forward(take: (bytes: Uint8Array) => void): Promise<void> {
    if (this.#receiver !== undefined) throw isReceiving();
    for (const bytes of this.#waiting.splice(0)) take(bytes);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isEnded) return;
    this.#take = take;
    this.#receiver = Promise.withResolvers();
    await this.#receiver.promise;
  }
}

function copy(bytes: Uint8Array, into: Uint8Array): number {
  const count = Math.min(bytes.length, into.length);
  into.set(bytes.subarray(0, count));
  return count;
}

function isReceiving(): TypeError {
  return new TypeError("Cannot receive: a receive is under way");
}
