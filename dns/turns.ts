/**
 * Who is let ask one cluster, and when. A question that is asked again while it waits has the turn that it has; a turn that
 * nobody waits for any more is none.
 */
import type { Clock } from "../net/mod.ts";
import { type ClusterQuestion, keyOf } from "./cluster_resolver.ts";
import type { Word } from "./find_in_turn.ts";
import { OverflowError } from "./overflow_error.ts";
import type { Pace, Paced } from "./pace.ts";
import { type InRow, Row } from "./row.ts";

export interface TurnsOptions {
  /** Of the cluster's lookups. */
  pace: Pace;
  clock: Clock;
  /** How long a question waits before it fails. */
  timeoutMs: number;
}

/** One who waits until he may ask. */
export interface Waiter extends InRow<Waiter> {
  /**
   * Resolves when he may, with how long the question has waited, or with `undefined` when he is to have a word before.
   * Rejects when that takes too long.
   */
  readonly promise: Promise<number | undefined>;
  readonly resolve: (waitedMs: number | undefined) => void;
  readonly reject: (why: Error) => void;
  /** Calls his word off. */
  callOff: (() => void) | undefined;
  /** Absent when he waits no longer. */
  turn: Turn | undefined;
}

/** A question's. There are very many: of each is kept what it takes. */
class Turn implements Paced {
  before: Paced | undefined;
  after: Paced | undefined;
  readonly waiters = new Row<Waiter>();

  constructor(
    readonly key: string,
    readonly sinceMs: number,
    readonly onBegin: (turn: Turn) => void,
  ) {}

  begin(): void {
    this.onBegin(this);
  }
}

export class Turns {
  readonly #options: TurnsOptions;
  /** By question; the one that has waited for longest first. */
  readonly #turns = new Map<string, Turn>();
  #callOff: (() => void) | undefined;
  #asking = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** How many questions wait. */
  get size(): number {
    return this.#turns.size;
  }

  /** Whether a question that takes a lookup has to wait. */
  get isFull(): boolean {
    return this.#options.pace.isFull;
  }

  /**
   * Somebody asks the cluster, until {@link exit}. There are at most as many as there is room left for others, so that one
   * cluster's questions are never all that is answered.
   *
   * @throws {OverflowError} when there is no room.
   */
  enter({ room }: { room: number }): void {
    if (this.#asking >= room) {
      throw new OverflowError("Cannot look up: too many ask this cluster");
    }
    this.#asking++;
  }

  exit(): void {
    this.#asking--;
  }

  /** @param word When he is to have a word. He may wait when absent. */
  wait(question: ClusterQuestion, word?: Word): Waiter {
    const key = keyOf(question);
    const turn = this.#turns.get(key) ?? this.#take(key);
    const { promise, resolve, reject } = Promise.withResolvers<
      number | undefined
    >();
    const none = undefined;
    const waiter: Waiter = {
      promise,
      resolve,
      reject,
      turn,
      before: none,
      after: none,
      callOff: none,
    };
    turn.waiters.add(waiter);
    waiter.callOff = word?.(() => {
      this.leave(waiter);
      waiter.resolve(undefined);
    });
    return waiter;
  }

  /** He waits no longer; what he was promised stays as it is. Idempotent. */
  leave(waiter: Waiter): void {
    const { turn } = waiter;
    if (turn === undefined) return;
    end(waiter, turn);
    if (turn.waiters.first !== undefined) return;
    this.#options.pace.leave(turn);
    this.#end(turn);
  }

  /** Fails all who wait. */
  stop(why: Error): void {
    for (const turn of this.#turns.values()) this.#fail(turn, why);
    this.#options.pace.stop();
  }

  #take(key: string): Turn {
    const { clock, pace, timeoutMs } = this.#options;
    const turn = new Turn(key, clock.now(), this.#begin);
    this.#turns.set(key, turn);
    this.#callOff ??= clock.after(timeoutMs, this.#onDue);
    pace.wait(turn);
    return turn;
  }

  readonly #begin = (turn: Turn) => {
    const waitedMs = this.#options.clock.now() - turn.sinceMs;
    this.#tell(turn, ({ resolve }) => resolve(waitedMs));
  };

  #fail(turn: Turn, why: Error): void {
    this.#options.pace.leave(turn);
    this.#tell(turn, ({ reject }) => reject(why));
  }

  /** Fails whose time is over. All have the same: who has waited for longest is the first. */
  readonly #onDue = () => {
    this.#callOff = undefined;
    const { clock, timeoutMs } = this.#options;
    for (const turn of this.#turns.values()) {
      const leftMs = turn.sinceMs + timeoutMs - clock.now();
      if (leftMs > 0) {
        this.#callOff = clock.after(leftMs, this.#onDue);
        return;
      }
      this.#fail(turn, new Error(`Cannot look up: no turn in ${timeoutMs} ms`));
    }
  };

  #tell(turn: Turn, tell: (waiter: Waiter) => void): void {
    this.#end(turn);
    for (let one = turn.waiters.first; one; one = turn.waiters.first) {
      end(one, turn);
      tell(one);
    }
  }

  #end({ key }: Turn): void {
    this.#turns.delete(key);
    if (this.#turns.size > 0) return;
    this.#callOff?.();
    this.#callOff = undefined;
  }
}

function end(waiter: Waiter, turn: Turn): void {
  waiter.turn = undefined;
  turn.waiters.remove(waiter);
  waiter.callOff?.();
}
