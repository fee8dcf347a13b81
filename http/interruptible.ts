/**
 * Waits that can be interrupted, by who holds this, once and for all. As `Promise.race` with a promise of the
 * interruption would be, but nothing of a wait that is over stays with it: the bytes of a connection may come in any
 * number of pieces.
 */
export class Interruptible<Result> {
  #interruption: Promise<Result> | undefined;
  #waiting: PromiseWithResolvers<Result> | undefined;

  /** What `promise` brings, or the interruption if that comes, or came, first. One at a time. */
  wait(promise: Promise<Result>): Promise<Result> {
    if (this.#interruption !== undefined) return this.#interruption;
    const waiting = Promise.withResolvers<Result>();
    this.#waiting = waiting;
    promise.then(waiting.resolve, waiting.reject);
    return waiting.promise;
  }

  /** Ends the wait that is, and all that follow, with this. */
  interrupt(result: Promise<Result>): void {
    result.catch(() => {});
    this.#interruption = result;
    this.#waiting?.resolve(result);
  }
}
