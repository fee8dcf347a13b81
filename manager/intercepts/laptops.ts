import { type Clock, RefusedError } from "../../net/mod.ts";
import type { Session } from "../../tunnel/mod.ts";

/** How long what is for a laptop waits for it. */
const patienceMs = 20_000;

/** The sessions of laptops with this copy of the manager, by the proven thumbprint of their keys. */
export class Laptops {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Set<Session>>();
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Holds a session until it ends. */
  add(session: Session): void {
    const { thumbprint } = session.peer;
    if (thumbprint === undefined) return;
    const sessions = this.#sessions.get(thumbprint) ?? new Set();
    this.#sessions.set(thumbprint, sessions.add(session));
    void session.ended.then(() => {
      sessions.delete(session);
      if (sessions.size === 0) this.#sessions.delete(thumbprint);
    });
    this.wake();
  }

  /** To be called when a session has a carrier again. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** The laptop's last session that has a carrier. */
  find(thumbprint: string): Session | undefined {
    const sessions = [...this.#sessions.get(thumbprint) ?? []];
    return sessions.findLast((one) => one.stats().state === "connected");
  }

  /**
   * As {@link Laptops.find}, for who may wait until the laptop is back, and for what it does with the session.
   *
   * @throws {RefusedError} "gone" after 20 s; the signal's reason when it aborts.
   */
  async reach<T>(
    thumbprint: string,
    { signal, use }: {
      signal: AbortSignal;
      use: (session: Session, signal: AbortSignal) => Promise<T>;
    },
  ): Promise<T> {
    const late = new AbortController();
    const callOff = this.#clock.after(patienceMs, () => {
      const detail = "The laptop is not there";
      late.abort(new RefusedError("gone", detail));
    });
    try {
      const both = AbortSignal.any([signal, late.signal]);
      const session = await this.#wait(thumbprint, both);
      return await use(session, both);
    } finally {
      callOff();
    }
  }

  async #wait(thumbprint: string, signal: AbortSignal): Promise<Session> {
    for (;;) {
      signal.throwIfAborted();
      const session = this.find(thumbprint);
      if (session !== undefined) return session;
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      this.#waiting.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  }
}
