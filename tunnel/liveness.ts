import type { Clock } from "../net/mod.ts";

const activeIntervalMs = 1500;
const idleIntervalMs = 5000;
/** Without use for so long, the session is idle. */
const idleAfterMs = 10_000;
/** So many PINGs in a row without any byte from the peer mean that it is not there. */
const missesToDie = 3;

export interface LivenessOptions {
  clock: Clock;
  /** Sends PING with this token. */
  sendPing: (token: number) => void;
  /** Nothing was heard for too long. Called once at most. */
  onSilent: (detail: string) => void;
}

/** Asks whether the peer is there, and measures how long the way is. */
export class Liveness {
  readonly #options: LivenessOptions;
  #token = 0;
  #pingSentMs: number | undefined;
  #misses = 0;
  #isHeard = true;
  #isUsed = true;
  #lastUseMs = 0;
  #intervalMs = activeIntervalMs;
  #cancelTimer = () => {};
  /** The last measured round trip; 0 before the first. Includes the time that the PING stood in line. */
  roundTripMs = 0;
  /** The shortest. */
  leastRoundTripMs = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  start(): void {
    this.#lastUseMs = this.#options.clock.now();
    this.#ping();
  }

  stop(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
  }

  /** Something came from the peer. */
  heard(): void {
    this.#isHeard = true;
  }

  /** A stream was used. */
  used(): void {
    if (this.#isUsed) return;
    this.#isUsed = true;
    if (this.#intervalMs === activeIntervalMs) return;
    this.stop();
    this.#rest(activeIntervalMs);
  }

  /** PONG came. One that does not answer the last PING is of no interest. */
  onPong(high: number, low: number): void {
    if (high !== 0 || low !== this.#token || this.#pingSentMs === undefined) {
      return;
    }
    this.roundTripMs = this.#options.clock.now() - this.#pingSentMs;
    this.#pingSentMs = undefined;
    this.leastRoundTripMs = this.leastRoundTripMs === 0
      ? this.roundTripMs
      : Math.min(this.leastRoundTripMs, this.roundTripMs);
  }

  readonly #tick = () => {
    const nowMs = this.#options.clock.now();
    if (this.#isUsed) this.#lastUseMs = nowMs;
    this.#misses = this.#isHeard ? 0 : this.#misses + 1;
    if (this.#misses === missesToDie) {
      this.#options.onSilent(
        `nothing came from the peer for ${missesToDie} pings, ` +
          `${activeIntervalMs} ms apart`,
      );
      return;
    }
    this.#ping();
  };

  #ping(): void {
    this.#isHeard = this.#isUsed = false;
    this.#token = (this.#token + 1) >>> 0;
    this.#pingSentMs = this.#options.clock.now();
    this.#options.sendPing(this.#token);
    const idleMs = this.#pingSentMs - this.#lastUseMs;
    this.#rest(
      this.#misses === 0 && idleMs >= idleAfterMs
        ? idleIntervalMs
        : activeIntervalMs,
    );
  }

  #rest(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#cancelTimer = this.#options.clock.after(intervalMs, this.#tick);
  }
}
