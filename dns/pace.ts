import type { Clock } from "../net/mod.ts";
import { Deadlines } from "./deadlines.ts";

/** Lookups that begin at once while nothing waits: more names than an app asks for together. */
const burst = 16;
/** What begins in a turn otherwise. With the work that its answer makes, each takes some 0.2 ms of this thread. */
const perTurn = 4;
/** Lookups that are under way at a time: what a way of 60 ms there and back holds when each turn begins its share. */
const places = 128;
/** A lookup that takes longer has no place: what the cluster is slow to answer must not keep others waiting. */
const placeMs = 300;

/**
 * Lets questions to the cluster begin in turns, between which this thread has time for what else arrives: when very many
 * come at once, one to the host does not stand behind them. Some two thousand begin in a second, if the cluster answers
 * as many. Who waits is hardly more than his question: what is under way is of many objects, and all are gone through
 * whenever garbage is collected.
 */
export class Pace {
  readonly #places: Deadlines;
  #taken = 0;
  #begun = 0;
  #isTurning = false;
  readonly #waiting: (() => void)[] = [];

  constructor({ clock }: { clock: Clock }) {
    this.#places = new Deadlines({ clock, ms: placeMs });
  }

  /** Whether a question that takes a lookup has to wait. */
  get isFull(): boolean {
    return this.#begun >= burst || this.#waiting.length > 0 ||
      this.#taken >= places;
  }

  /** Calls `begin` when it is its turn. First come, first served. */
  wait(begin: () => void): void {
    this.#waiting.push(begin);
    this.#turn();
  }

  /** A lookup has begun. What is returned is to be called when it is over, once. */
  lookup(): () => void {
    this.#begun++;
    this.#taken++;
    let isTaken = true;
    const leave = () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken--;
      this.#turn();
    };
    const callOff = this.#places.begin(leave);
    return () => {
      callOff();
      leave();
    };
  }

  /** Lets all who wait begin, to find out that it is over. */
  stop(): void {
    for (const begin of this.#waiting.splice(0)) begin();
  }

  /** A timer, since that is what makes a pause: what is due at once would take all of the thread. */
  #turn(): void {
    const isDue = this.#waiting.length > 0 && this.#taken < places;
    if (this.#isTurning || !isDue) return;
    this.#isTurning = true;
    setTimeout(() => {
      this.#isTurning = false;
      this.#begun = 0;
      const room = Math.min(perTurn, places - this.#taken);
      for (const begin of this.#waiting.splice(0, Math.max(0, room))) begin();
      this.#turn();
    }, 0);
  }
}
