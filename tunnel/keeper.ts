/**
 * Sees to it that a dialer has the carriers it needs.
 *
 * 1. One that answers, always: a lost one is dialled again, with growing, jittered pauses.
 * 2. One for bulk and one for small flows; on a long way one for each stream that is bulk, as many as may be. Given up
 *    when there was no bulk for long.
 * 3. A successor before those between the two ends cut a carrier that has become old.
 */
import type { Clock } from "../net/mod.ts";
import type { Carrier } from "./carrier.ts";
import type { Limits } from "./limits.ts";

const firstPauseMs = 100;
/** Short enough that a network that is back is noticed within 3 s. */
const usualLongestPauseMs = 1500;
/** By such a share of {@link Limits.carrierMs} carriers may be replaced earlier, so that they are not all at once. */
const rotateSpread = 0.2;
/** A carrier more than one is given up when there was no bulk for so long. */
const surplusMs = 3 * 60_000;
const lookMs = 60_000;
/** One more for bulk is not tried again so soon when it could not be had. */
const bulkPauseMs = 30_000;

/** What a keeper does with its session. */
export interface KeeperHost {
  readonly carriers: ReadonlyMap<number, Carrier>;
  streamsOn(carrier: Carrier): number;
  /** The streams of `carrier` move to the others. */
  giveUp(carrier: Carrier, detail: string): void;
}

export interface KeeperOptions {
  host: KeeperHost;
  /** Which of the session's carriers are its matter; what it opens is. */
  isOwn: (carrier: Carrier) => boolean;
  /** Dials one carrier, which joins the session. Rejects when it could not be had. */
  open: (signal: AbortSignal) => Promise<void>;
  /** To what the pauses between attempts grow. */
  longestPauseMs?: number;
  clock: Clock;
  limits: Limits;
  random: () => number;
  onTrouble: (trouble: Error | undefined) => void;
}

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #old = new Set<Carrier>();
  readonly #timers = new Set<() => void>();
  #isStopped = false;
  #isDialling = false;
  #attempt: AbortController | undefined;
  #pauseMs = firstPauseMs;
  #endPause = () => {};
  #isMoreWanted = false;
  #bulkRestMs = -Infinity;
  #lastBulkMs = -Infinity;
  #isLooking = false;
  #hasTrouble = false;
  /** The last carrier was lost before the peer had used it. */
  #isPauseDue = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  onJoined(carrier: Carrier): void {
    const { clock, limits, random } = this.#options;
    const ageMs = limits.carrierMs * (1 - rotateSpread * random());
    this.#after(ageMs, () => this.#replace(carrier));
    if (this.#hasTrouble) this.#options.onTrouble(undefined);
    this.#hasTrouble = this.#isMoreWanted = false;
    this.#lastBulkMs = clock.now();
    for (const one of this.#live()) {
      if (one === carrier) continue;
      if (this.#old.has(one)) this.#giveUp(one, "it has become old");
      else if (one.isSuspect) this.#giveUp(one, "it does not answer");
    }
    if (this.#live().length > 1) this.#lookLater();
  }

  onLost(carrier: Carrier): void {
    if (carrier.isConfirmed) this.#pauseMs = firstPauseMs;
    else this.#isPauseDue = true;
    void this.#dial();
  }

  onSuspect(carrier: Carrier): void {
    const { carriers } = this.#options.host;
    if (carriers.values().some((one) => !one.isSuspect)) {
      this.#giveUp(carrier, "it does not answer");
    } else void this.#dial();
  }

  /** So many streams are bulk: they should have carriers of their own, and small flows one without. */
  onBulk(streams: number): void {
    if (streams === 0) return;
    const nowMs = this.#options.clock.now();
    this.#lastBulkMs = nowMs;
    const live = this.#live();
    if (
      this.#isMoreWanted || nowMs < this.#bulkRestMs ||
      live.length >= this.#mostFor(streams, live)
    ) return;
    this.#isMoreWanted = true;
    void this.#dial();
  }

  #mostFor(bulkStreams: number, live: readonly Carrier[]): number {
    const { carriers, longWayMs } = this.#options.limits;
    const isLong = live.every((one) => one.leastRoundTripMs >= longWayMs);
    return Math.min(carriers, 1 + (isLong ? bulkStreams : 1));
  }

  wake(): void {
    this.#pauseMs = firstPauseMs;
    for (const one of this.#live()) one.check();
    // An attempt that began before may hang in a network that is gone.
    this.#attempt?.abort(new Error("Cannot dial a carrier: called off"));
    this.#endPause();
    void this.#dial();
  }

  stop(): void {
    this.#isStopped = true;
    this.#attempt?.abort(new Error("Cannot dial a carrier: the session ended"));
    this.#endPause();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #live(): Carrier[] {
    const { host, isOwn } = this.#options;
    return [...host.carriers.values()].filter(isOwn);
  }

  /** Whether one more carrier is needed. */
  #isWanted(): boolean {
    if (this.#isStopped) return false;
    const good = this.#live().filter((one) =>
      !one.isSuspect && !this.#old.has(one)
    );
    return good.length === 0 || this.#isMoreWanted;
  }

  /** Dials, one attempt at a time, until no more carrier is wanted. Never rejects. */
  async #dial(): Promise<void> {
    if (this.#isDialling) return;
    this.#isDialling = true;
    while (this.#isWanted()) {
      if (this.#isPauseDue) {
        await this.#pause();
        continue;
      }
      this.#attempt = new AbortController();
      try {
        await this.#options.open(this.#attempt.signal);
      } catch (error) {
        await this.#onFailure(error);
      }
      this.#attempt = undefined;
    }
    this.#isDialling = false;
  }

  async #onFailure(error: unknown): Promise<void> {
    if (this.#isStopped || this.#attempt?.signal.aborted) return;
    this.#attempt = undefined;
    if (this.#isMoreWanted) {
      this.#isMoreWanted = false;
      this.#bulkRestMs = this.#options.clock.now() + bulkPauseMs;
    }
    if (!this.#isWanted()) return;
    this.#hasTrouble = true;
    this.#options.onTrouble(
      error instanceof Error ? error : new Error(String(error)),
    );
    await this.#pause();
  }

  async #pause(): Promise<void> {
    this.#isPauseDue = false;
    const pauseMs = this.#pauseMs * (0.5 + this.#options.random());
    const { longestPauseMs = usualLongestPauseMs } = this.#options;
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    await new Promise<void>((resolve) => {
      const cancel = this.#after(pauseMs, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  /** `carrier` is old: its streams move to another, or to one that is dialled for them. */
  #replace(carrier: Carrier): void {
    if (this.#options.host.carriers.get(carrier.number) !== carrier) return;
    this.#old.add(carrier);
    const others = this.#live().filter((one) =>
      !one.isSuspect && !this.#old.has(one)
    );
    if (others.length > 0 && !this.#hasRecentBulk()) {
      this.#giveUp(carrier, "it has become old");
    } else {
      this.#isMoreWanted = true;
      void this.#dial();
    }
  }

  #giveUp(carrier: Carrier, detail: string): void {
    this.#old.delete(carrier);
    this.#options.host.giveUp(carrier, detail);
  }

  #hasRecentBulk(): boolean {
    return this.#options.clock.now() - this.#lastBulkMs < surplusMs;
  }

  /** Gives up carriers that nobody needs. */
  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#after(lookMs, () => {
      this.#isLooking = false;
      if (!this.#hasRecentBulk()) {
        for (const one of this.#live().reverse()) {
          if (this.#live().length === 1) return;
          if (this.#options.host.streamsOn(one) === 0) {
            this.#giveUp(one, "it is not needed any more");
          }
        }
      }
      if (this.#live().length > 1) this.#lookLater();
    });
  }

  #after(ms: number, run: () => void): () => void {
    const cancel = this.#options.clock.after(ms, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }
}
