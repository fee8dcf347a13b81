import type { Clock } from "../net/mod.ts";

const activeIntervalMs = 1500;
const idleIntervalMs = 5000;
/** How often is looked at a carrier that is used. */
const lookMs = 500;
/** Without use for so long, the carrier is idle. */
const idleAfterMs = 10_000;
/** A PING that is not answered for so long, or so many round trips, makes suspicious while somebody waits. */
const suspectAfterMs = 1000;
const suspectRoundTrips = 3;
const maxSuspectAfterMs = 3000;
/** A timer that fires so much too late shows that this end has slept. */
const jumpMs = 5000;
/** Who has used a stream within such a time may be waiting for an answer. */
const recentUseMs = 4000;

export interface LivenessOptions {
  clock: Clock;
  /** So many in a row without any byte from the peer mean that it is not there. */
  unansweredPings: number;
  /** Sends PING. */
  sendPing: () => void;
  /** The last round trip; 0 before the first. */
  roundTripMs: () => number;
  /** Streams wait for an answer and none comes. Called once for each silence. */
  onSuspect?: () => void;
  /** Nothing was heard for too long. Called once at most. */
  onSilent: (detail: string) => void;
  /** Time has made a jump: this end slept. */
  onJump?: () => void;
}

/** Asks whether the peer is there. */
export class Liveness {
  readonly #options: LivenessOptions;
  /** When the PING was sent that nothing has followed. */
  #askedMs: number | undefined;
  #pingMs = 0;
  #misses = 0;
  #isUsed = true;
  /** Something was sent and nothing has come since. */
  #isWaiting = true;
  #lastUseMs = 0;
  #dueMs = 0;
  #intervalMs = activeIntervalMs;
  #cancelTimer = () => {};
  #isSuspect = false;
  #isStopped = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Somebody waited for an answer for too long, and still does. */
  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  start(): void {
    this.#lastUseMs = this.#options.clock.now();
    this.#ping();
    this.#rest(lookMs);
  }

  /** Asks and tells nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  /** Something came from the peer. */
  heard(): void {
    this.#askedMs = undefined;
    this.#misses = 0;
    this.#isSuspect = this.#isWaiting = false;
  }

  /** A stream was used. */
  used(): void {
    this.#isWaiting = true;
    if (this.#isUsed) return;
    this.#isUsed = true;
    if (this.#intervalMs === lookMs) return;
    this.#rest(lookMs);
  }

  /** Asks at once: who does not answer within a second is suspect. */
  probe(): void {
    this.#isUsed = true;
    this.#ping();
    this.#rest(lookMs);
  }

  readonly #look = () => {
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#dueMs > jumpMs) {
      this.#misses = 0;
      this.#askedMs = undefined;
      this.#options.onJump?.();
    }
    if (this.#isUsed) this.#lastUseMs = nowMs;
    this.#isUsed = false;
    if (nowMs - this.#pingMs >= activeIntervalMs) {
      const { unansweredPings, onSilent } = this.#options;
      if (this.#askedMs !== undefined && ++this.#misses === unansweredPings) {
        onSilent(
          `nothing came from the peer for ${unansweredPings} pings, ` +
            `${activeIntervalMs} ms apart`,
        );
        return;
      }
      this.#ping();
    } else if (this.#isWaiting && this.#askedMs === undefined) {
      this.#ping();
    }
    this.#suspect(nowMs);
    const isIdle = this.#misses === 0 && nowMs - this.#lastUseMs >= idleAfterMs;
    this.#rest(isIdle ? idleIntervalMs : lookMs);
  };

  #suspect(nowMs: number): void {
    if (this.#isSuspect || this.#askedMs === undefined) return;
    const afterMs = Math.min(
      Math.max(
        suspectAfterMs,
        suspectRoundTrips * this.#options.roundTripMs(),
      ),
      maxSuspectAfterMs,
    );
    if (nowMs - this.#askedMs < afterMs) return;
    if (nowMs - this.#lastUseMs > recentUseMs) return;
    this.#isSuspect = true;
    this.#options.onSuspect?.();
  }

  #ping(): void {
    this.#pingMs = this.#options.clock.now();
    this.#askedMs ??= this.#pingMs;
    this.#options.sendPing();
  }

  #rest(intervalMs: number): void {
    this.#cancelTimer();
    if (this.#isStopped) return;
    this.#intervalMs = intervalMs;
    this.#dueMs = this.#options.clock.now() + intervalMs;
    this.#cancelTimer = this.#options.clock.after(intervalMs, this.#look);
  }
}
