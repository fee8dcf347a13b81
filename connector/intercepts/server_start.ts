/**
 * The time in which a server of the laptop that is started with its intercept may come to listen.
 *
 * 1. The first connection to which nobody listens begins it: a rollout makes an app's clients connect anew, before there
 *    is an environment with which to start the server.
 * 2. It begins once more when the intercept stands and the server is started.
 *
 * A connection is dialled again until it is over. One that the app is given for good otherwise, as a database's in a pool,
 * is so the laptop's. Each time is short, and comes once: a server that never listens holds nobody up for longer.
 */
import { type Clock, pause, RefusedError } from "../../net/mod.ts";

const patienceMs = 3_000;
const everyMs = 100;

export class ServerStart {
  readonly #clock: Clock;
  #untilMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The server is started. */
  begin(): void {
    this.#untilMs = this.#clock.now() + patienceMs;
  }

  /**
   * Opens by `dial`, and again while nobody listens.
   *
   * @throws what `dial` says, when the time is over or it is called off.
   */
  async dial<T>(
    dial: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    for (;;) {
      try {
        return await dial(signal);
      } catch (error) {
        const isSilent = error instanceof RefusedError &&
          error.refusal === "refused";
        if (!isSilent || signal.aborted) throw error;
        if (this.#untilMs === undefined) this.begin();
        if (this.#clock.now() >= this.#untilMs!) throw error;
        await pause(everyMs, { clock: this.#clock, signal });
      }
    }
  }
}
