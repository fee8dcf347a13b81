import type { Clock } from "../net/mod.ts";
import { Deadlines } from "./deadlines.ts";
import { OverflowError } from "./overflow_error.ts";
import { type InRow, Row } from "./row.ts";

/** Lookups that begin at once while nothing waits: more names than an app asks for together. */
const burst = 16;
/** What begins in a turn otherwise. With the work that its answer makes, each takes some 0.2 ms of this thread. */
const perTurn = 4;
/** Lookups that are under way at a time: what a way of 60 ms there and back holds when each turn begins its share. */
const places = 128;
/** A lookup that takes longer has no place: what the cluster is slow to answer must not keep others waiting. */
const placeMs = 300;
/** The most that are under way in all, with a place or without: a cluster that is silent is asked no more than that. */
const mostUnderWay = 2048;

/** Who waits until a lookup may begin. */
export interface Paced extends InRow<Paced> {
  /** It is his turn. He waits no longer. */
  begin(): void;
}

/**
 * Lets questions to one cluster begin in turns, between which this thread has time for what else arrives: when very many
 * come at once, one to the host does not stand behind them. Some two thousand begin in a second, if the cluster answers
 * as many. Who waits is hardly more than his question: what is under way is of many objects, and all are gone through
 * whenever garbage is collected.
 */
export class Pace {
  readonly #places: Deadlines;
  #taken = 0;
  #underWay = 0;
  #begun = 0;
  #turning: ReturnType<typeof setTimeout> | undefined;
  #waiting = new Row<Paced>();

  constructor({ clock }: { clock: Clock }) {
    this.#places = new Deadlines({ clock, ms: placeMs });
  }

  /** Whether a question that takes a lookup has to wait. */
  get isFull(): boolean {
    return this.#begun >= burst || this.#waiting.first !== undefined ||
      this.#room <= 0;
  }

  /** First come, first served. */
  wait(one: Paced): void {
    this.#waiting.add(one);
    this.#turn();
  }

  /** `one`, who waits, does so no longer. */
  leave(one: Paced): void {
    this.#waiting.remove(one);
  }

  /**
   * A lookup begins, in its turn or not. What is returned is to be called when it is over, once.
   *
   * @throws {OverflowError} when too many are under way.
   */
  lookup(): () => void {
    if (this.#underWay >= mostUnderWay) {
      throw new OverflowError("Cannot look up: too many lookups are under way");
    }
    this.#begun++;
    this.#underWay++;
    this.#taken++;
    let isTaken = true;
    const free = () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken--;
      this.#turn();
    };
    const callOff = this.#places.begin(free);
    return () => {
      this.#underWay--;
      callOff();
      free();
      this.#turn();
    };
  }

  /** Nobody's turn comes any more who waits. */
  stop(): void {
    this.#waiting = new Row();
    clearTimeout(this.#turning);
    this.#turning = undefined;
  }

  /** How many may begin. */
  get #room(): number {
    return Math.min(places - this.#taken, mostUnderWay - this.#underWay);
  }

  /** A timer, since that is what makes a pause: what is due at once would take all of the thread. */
  #turn(): void {
    const isDue = this.#waiting.first !== undefined && this.#room > 0;
    if (this.#turning !== undefined || !isDue) return;
    this.#turning = setTimeout(() => {
      this.#turning = undefined;
      this.#begun = 0;
      for (let room = Math.min(perTurn, this.#room); room > 0; room--) {
        const { first } = this.#waiting;
        if (first === undefined) break;
        this.#waiting.remove(first);
        first.begin();
      }
      this.#turn();
    }, 0);
  }
}
