/**
 * How many bytes of one carrier are under way, and how many should be.
 *
 * Every PING marks a place in what is sent; its PONG tells that all before it has arrived. From both come the rate of
 * delivery and the shortest round trip, and from these the cap: a little more than fills the way, so that a small write
 * waits behind little. The scheme is that of BBR: the cap doubles while the rate grows with it, then follows the rate.
 */
import type { Clock } from "../net/mod.ts";

const minCapBytes = 512 * 1024;
const maxCapBytes = 64 * 1024 * 1024;
const startupGain = 3;
const gain = 1.5;
/** A way is at full rate when this factor was not reached again for so many rounds. */
const growth = 1.25;
const roundsToFull = 3;
/** The rate is the highest of so many rounds, the round trip the shortest of one to two such times. */
const rateRounds = 10;
const roundTripMs = 10_000;
/**
 * A way of several processes holds as much as they move while one of them waits for its turn of the processor, however
 * short the round trip of an idle way is. With less than that under way the processes wake for each piece.
 */
const minRoundTripMs = 7;
/** Bytes between marks, at least, and as a share of the cap. */
const minMarkBytes = 64 * 1024;
const marksPerCap = 16;
const maxMarks = 64;

interface Mark {
  token: number;
  sentMs: number;
  sentBytes: number;
  /** What had been delivered when it was sent, and when that was known. */
  deliveredBytes: number;
  deliveredMs: number;
  /** Whether more waited to be sent: else the rate says nothing about the way. */
  isFull: boolean;
}

export class Flight {
  readonly #clock: Clock;
  /** A ring, used again and again. */
  readonly #marks: Mark[] = [];
  #firstToken = 1;
  #nextToken = 1;
  #markedBytes = 0;
  #deliveredBytes = 0;
  #deliveredMs: number;
  #capBytes = 2 * minCapBytes;
  #isStartup = true;
  #fullRate = 0;
  #roundsAtFull = 0;
  /** The round is over when what is sent by its beginning has been delivered. */
  #roundEnd = 0;
  readonly #rates = new Float64Array(rateRounds);
  #round = 0;
  #leastMs = Infinity;
  #leastBeforeMs = Infinity;
  #leastSinceMs: number;
  /** The last measured round trip; 0 before the first. */
  roundTripMs = 0;
  /** The shortest ever; 0 before the first. */
  leastRoundTripMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#deliveredMs = this.#leastSinceMs = clock.now();
  }

  get capBytes(): number {
    return this.#capBytes;
  }

  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  /** Whether a mark is under way. */
  get isMarked(): boolean {
    return this.#firstToken < this.#nextToken;
  }

  /** Whether it is time for a mark behind `sentBytes`. */
  isMarkDue(sentBytes: number): boolean {
    const bytes = sentBytes - this.#markedBytes;
    return bytes >= minMarkBytes && bytes >= this.#capBytes / marksPerCap &&
      this.#nextToken - this.#firstToken < maxMarks;
  }

  /** A PING is sent behind `sentBytes`. Returns what it carries. */
  mark(sentBytes: number, isFull: boolean): number {
    const nowMs = this.#clock.now();
    // A mark too many takes the place of the oldest, which a later one answers as well.
    if (this.#nextToken - this.#firstToken === maxMarks) this.#firstToken++;
    const token = this.#nextToken++;
    const at = token % maxMarks;
    const mark = this.#marks[at] ??= {} as Mark;
    if (this.#markedBytes === this.#deliveredBytes) this.#deliveredMs = nowMs;
    mark.token = token;
    mark.sentMs = nowMs;
    mark.sentBytes = sentBytes;
    mark.deliveredBytes = this.#deliveredBytes;
    mark.deliveredMs = this.#deliveredMs;
    mark.isFull = isFull;
    this.#markedBytes = sentBytes;
    return token;
  }

  /** PONG came. One that answers no PING under way is of no interest. */
  onPong(token: number): void {
    if (token < this.#firstToken || token >= this.#nextToken) return;
    const mark = this.#marks[token % maxMarks]!;
    this.#firstToken = token + 1;
    const nowMs = this.#clock.now();
    this.#deliveredBytes = mark.sentBytes;
    this.#deliveredMs = nowMs;
    this.#measureRoundTrip(nowMs - mark.sentMs, nowMs);
    this.#measureRate(mark, nowMs);
  }

  #measureRoundTrip(ms: number, nowMs: number): void {
    this.roundTripMs = ms;
    this.leastRoundTripMs = this.leastRoundTripMs === 0
      ? ms
      : Math.min(this.leastRoundTripMs, ms);
    if (nowMs - this.#leastSinceMs > roundTripMs) {
      this.#leastBeforeMs = this.#leastMs;
      this.#leastMs = Infinity;
      this.#leastSinceMs = nowMs;
    }
    this.#leastMs = Math.min(this.#leastMs, ms);
  }

  #measureRate(mark: Mark, nowMs: number): void {
    const elapsedMs = nowMs - mark.deliveredMs;
    const bytes = mark.sentBytes - mark.deliveredBytes;
    if (elapsedMs <= 0 || bytes <= 0) return;
    const rate = bytes / elapsedMs;
    const best = this.#bestRate();
    if (!mark.isFull && rate <= best) return;
    const isRoundOver = mark.deliveredBytes >= this.#roundEnd;
    if (isRoundOver) {
      this.#roundEnd = this.#markedBytes;
      this.#round = (this.#round + 1) % rateRounds;
      this.#rates[this.#round] = 0;
    }
    this.#rates[this.#round] = Math.max(this.#rates[this.#round]!, rate);
    if (isRoundOver && this.#isStartup) this.#lookForFull();
    this.#setCap();
  }

  #lookForFull(): void {
    const best = this.#bestRate();
    if (best >= this.#fullRate * growth) {
      this.#fullRate = best;
      this.#roundsAtFull = 0;
    } else if (++this.#roundsAtFull === roundsToFull) {
      this.#isStartup = false;
    }
  }

  #setCap(): void {
    const leastMs = Math.max(
      minRoundTripMs,
      Math.min(this.#leastMs, this.#leastBeforeMs),
    );
    const wanted = this.#bestRate() * leastMs *
      (this.#isStartup ? startupGain : gain);
    const capBytes = Math.min(Math.max(wanted, minCapBytes), maxCapBytes);
    this.#capBytes = this.#isStartup
      ? Math.max(this.#capBytes, capBytes)
      : capBytes;
  }

  #bestRate(): number {
    let best = 0;
    for (const rate of this.#rates) best = Math.max(best, rate);
    return best;
  }
}
