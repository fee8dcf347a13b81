/**
 * Streams to laptops.
 *
 * 1. The rule is looked up by its id, so that one that has moved to another copy of the manager is followed there.
 * 2. While that copy is away, or says that the laptop is, the stream waits, for {@link patienceMs} at most.
 * 3. A laptop that says no is believed at once.
 */
import { encodeAgentTarget, type PodPort, type Rule } from "../manager/api.ts";
import {
  type Clock,
  type Conn,
  type Datagrams,
  pause,
  RefusedError,
} from "../net/mod.ts";
import type { Session } from "../tunnel/mod.ts";
import type { Counters } from "./counters.ts";
import type { Managers } from "./managers.ts";

/** How long a connection or request waits for a laptop that is away. */
export const patienceMs = 20_000;
/** Between attempts, when nothing is heard. */
const firstPauseMs = 100;
const longestPauseMs = 1_000;

/** The rule does not hold any more: who came for it is to be routed anew. */
export class RuleEndedError extends Error {
  override readonly name = "RuleEndedError";
}

/** How long a laptop is waited for that wants a copy: as long as it takes to reach one that is there. Nobody waits with it. */
export const copyWaitMs = 2_000;

export interface LaptopsOptions {
  readonly managers: Pick<Managers, "book" | "bell" | "sessionOf">;
  readonly counters: Counters;
  readonly clock: Clock;
}

export interface LaptopOptions {
  readonly signal: AbortSignal;
  /** How long a laptop that is away is waited for; {@link patienceMs} unless told otherwise. */
  readonly waitMs?: number;
}

interface Wish<T> extends Required<LaptopOptions> {
  readonly id: string;
  readonly open: (session: Session, signal: AbortSignal) => Promise<T>;
}

export class Laptops {
  readonly #options: LaptopsOptions;

  constructor(options: LaptopsOptions) {
    this.#options = options;
  }

  /**
   * A connection to the laptop's port.
   *
   * @throws {RefusedError} when it does not take it; `timeout` when it was away for too long.
   * @throws {RuleEndedError} when the rule was withdrawn meanwhile.
   * @throws the signal's reason.
   */
  open(
    { id }: Rule,
    port: PodPort,
    options: LaptopOptions,
  ): Promise<Conn> {
    const target = laptopTarget(id, port);
    const open = (session: Session, signal: AbortSignal) =>
      session.open(target, { signal });
    return this.#reach({ id, open, ...read(options) });
  }

  /** What a stream is opened at right now: another thing when the laptop, or its manager, has gone elsewhere or leaves. */
  way({ id }: Rule): unknown {
    const { book, sessionOf } = bound(this.#options.managers);
    const rule = book.find(id);
    return rule && sessionOf(rule.manager);
  }

  /** As {@link open}, for a flow of datagrams. */
  openDatagrams(
    { id }: Rule,
    port: PodPort,
    options: LaptopOptions,
  ): Promise<Datagrams> {
    const target = laptopTarget(id, port);
    const open = (session: Session, signal: AbortSignal) =>
      session.openDatagrams(target, { signal });
    return this.#reach({ id, open, ...read(options) });
  }

  async #reach<T>(wish: Wish<T>): Promise<T> {
    const { counters, clock } = this.#options;
    const { waitMs } = wish;
    const deadlineMs = clock.now() + waitMs;
    let pauseMs = firstPauseMs;
    for (let attempt = 1;; attempt++) {
      const { session, manager } = this.#find(wish.id);
      let why = `manager "${manager}" is away`;
      if (session !== undefined) {
        const answer = await this.#ask(wish, { session, deadlineMs });
        if (!("away" in answer)) return answer.opened;
        why = answer.away;
      }
      wish.signal.throwIfAborted();
      const leftMs = deadlineMs - clock.now();
      if (leftMs <= 0) {
        const detail = `The laptop was away for ${waitMs} ms: ${why}`;
        throw new RefusedError("timeout", detail);
      }
      if (attempt === 1) counters.add("held");
      await this.#change(Math.min(pauseMs, leftMs), wish.signal);
      wish.signal.throwIfAborted();
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  #find(id: string): { session: Session | undefined; manager: string } {
    const { book, sessionOf } = bound(this.#options.managers);
    const rule = book.find(id);
    if (rule === undefined) {
      throw new RuleEndedError(`Cannot open a stream: no intercept "${id}"`);
    }
    return { session: sessionOf(rule.manager), manager: rule.manager };
  }

  /** One attempt. It is called off when the deadline comes, or the laptop turns elsewhere. */
  async #ask<T>(
    { id, signal, open }: Wish<T>,
    { session, deadlineMs }: { session: Session; deadlineMs: number },
  ): Promise<{ opened: T } | { away: string }> {
    const { managers: { bell }, clock } = this.#options;
    const giveUp = new AbortController();
    let isMoot = false;
    const stop = () => {
      isMoot = true;
      giveUp.abort();
    };
    const onBell = () => {
      const isSame = this.#isAt(id, session);
      if (!isSame) stop();
    };
    const onAbort = () => giveUp.abort(signal.reason);
    const callOff = clock.after(deadlineMs - clock.now(), stop);
    const listenNoMore = bell.listen(onBell);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return { opened: await open(session, giveUp.signal) };
    } catch (error) {
      if (isMoot) return { away: "no answer" };
      if (!isAway(error)) throw error;
      return { away: error.message };
    } finally {
      callOff();
      listenNoMore();
      signal.removeEventListener("abort", onAbort);
    }
  }

  #isAt(id: string, session: Session): boolean {
    const { book, sessionOf } = bound(this.#options.managers);
    const rule = book.find(id);
    return rule !== undefined && sessionOf(rule.manager) === session;
  }

  /** Until something has changed, or for `ms`. */
  async #change(ms: number, signal: AbortSignal): Promise<void> {
    const { managers: { bell }, clock } = this.#options;
    const woken = new AbortController();
    const wake = () => woken.abort();
    const listenNoMore = bell.listen(wake);
    signal.addEventListener("abort", wake, { once: true });
    if (signal.aborted) wake();
    await pause(ms, { clock, signal: woken.signal });
    listenNoMore();
    signal.removeEventListener("abort", wake);
  }
}

/** Copied field by field: an AbortController, whose signal is no property of its own, will do. */
function read({ signal, waitMs = patienceMs }: LaptopOptions) {
  return { signal, waitMs };
}

function bound(managers: LaptopsOptions["managers"]) {
  const { book } = managers;
  return { book, sessionOf: (name: string) => managers.sessionOf(name) };
}

function laptopTarget(id: string, { port, protocol }: PodPort): Uint8Array {
  return encodeAgentTarget({
    ...{ kind: "laptop", intercept: id, port: { port, protocol } },
  });
}

/** Whether it says that the laptop is not there, rather than that it does not want the connection. */
function isAway(error: unknown): error is RefusedError {
  return error instanceof RefusedError &&
    (error.refusal === "gone" || error.refusal === "unreachable");
}
