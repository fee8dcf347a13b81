/**
 * Who of the laptops with intercepts is there, by what Leases and objects tell. Pure but for the clocks.
 *
 * Clocks of other machines are believed once, at first sight; from then on a Lease that changes is a sign of its laptop
 * at that moment. Of who was silent for long before this process began it is not known whether the manager itself was
 * away: he has a minute to come back, or what of it the grace leaves.
 */
import type { Clock } from "../../net/mod.ts";

export const awayMs = 30_000;
/** Where an admin says nothing else. */
export const usualGoneMs = 15 * 60_000;
const longestMercyMs = 60_000;

export type Presence = "here" | "away" | "gone";

interface Entry {
  /** By {@link Clock}. */
  signAt: number;
  renewTime?: string;
  /** Pod of the manager that wrote the Lease. */
  holder?: string | undefined;
  /** A sign was seen at its moment: others than managers can give none any more. */
  isSeen?: boolean;
}

export interface SessionLedgerOptions {
  clock: Clock;
  /** Milliseconds since 1970, by this machine. */
  wallNow: () => number;
  /** After so long without a sign a laptop is gone; {@link usualGoneMs} when absent. Longer than {@link awayMs}. */
  goneMs?: number | undefined;
}

/** Sessions by what {@link sessionLabelOf} says of their thumbprint. */
export class SessionLedger {
  readonly #options: SessionLedgerOptions;
  readonly #goneMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(options: SessionLedgerOptions) {
    this.#options = options;
    this.#goneMs = options.goneMs ?? usualGoneMs;
  }

  /** A Lease as it is. */
  seeLease(
    session: string,
    { renewTime, holder }: { renewTime: string; holder?: string | undefined },
  ): void {
    const entry = this.#entries.get(session);
    if (entry?.renewTime === renewTime) return;
    const { clock } = this.#options;
    const isFirst = entry?.renewTime === undefined;
    const signAt = isFirst
      ? Math.max(entry?.signAt ?? -Infinity, this.#moment(renewTime))
      : clock.now();
    const isSeen = !isFirst || entry?.isSeen === true;
    this.#entries.set(session, { signAt, renewTime, holder, isSeen });
  }

  /**
   * An intercept that is not known yet: its laptop was there when it was made, as far as is known. Anybody may have written
   * somebody else's session into it.
   */
  seeIntercept(session: string, createdAt: string): void {
    const entry = this.#entries.get(session);
    if (entry?.isSeen) return;
    const signAt = this.#moment(createdAt);
    if (entry === undefined) this.#entries.set(session, { signAt });
    else entry.signAt = Math.max(entry.signAt, signAt);
  }

  /** The laptop has a live carrier to this copy of the manager. */
  seeHere(session: string, holder: string): void {
    const signAt = this.#options.clock.now();
    const entry = this.#entries.get(session);
    this.#entries.set(session, { ...entry, signAt, holder, isSeen: true });
  }

  forget(session: string): void {
    this.#entries.delete(session);
  }

  presenceOf(session: string): Presence {
    const ms = this.#silenceOf(session);
    return ms < awayMs ? "here" : ms < this.#goneMs ? "away" : "gone";
  }

  /** The copy of the manager that has the session, as far as is known. */
  holderOf(session: string): string | undefined {
    return this.#entries.get(session)?.holder;
  }

  #silenceOf(session: string): number {
    const { signAt = -Infinity } = this.#entries.get(session) ?? {};
    return this.#options.clock.now() - signAt;
  }

  /** By this process's clock; never later than it shows, nor earlier than who may still come back. */
  #moment(time: string): number {
    const { clock, wallNow } = this.#options;
    const ageMs = wallNow() - Date.parse(time);
    const mercyMs = Math.min(longestMercyMs, (this.#goneMs - awayMs) / 2);
    const believed = Math.min(Math.max(ageMs, 0), this.#goneMs - mercyMs);
    return clock.now() - (Number.isNaN(believed) ? 0 : believed);
  }
}
