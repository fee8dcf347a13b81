/** How streams move from carriers that are given up to another one; SPEC.md section 7. The dialer leads. */
import type { Change } from "./balance.ts";
import type { Carrier } from "./carrier.ts";
import { type MovePhase, movePhase } from "./frame.ts";
import { Mover } from "./mover.ts";
import { ProtocolError } from "./protocol_error.ts";
import { MovedAnswer } from "./short_answers.ts";
import type { Stream } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";

export interface Moves {
  /** Whether this end answers RESUME, or is answered. */
  readonly answersResume: boolean;
  /** How many carriers were moved. */
  readonly count: number;
  /** How many streams went with them. */
  readonly streams: number;
  /** `carrier` was given up; its streams wait. */
  lost(carrier: Carrier): void;
  /**
   * MOVED came on `on`.
   *
   * @throws {ProtocolError} when it may not.
   */
  onMoved(on: Carrier, number: number, phase: MovePhase): void;
  /** RESUME of a stream came on `on`, and is to be passed to it: maybe the stream has moved alone. */
  onResume(id: number, on: Carrier): void;
}

/** The dialer's part: it tells where its streams stand, and holds them until it is answered. */
export class DialerMoves implements Moves {
  readonly answersResume = false;
  readonly #table: StreamTable;
  readonly #mayChange: boolean;
  /** Carriers that were given up, and through which one the acceptor is being told. */
  readonly #lost = new Map<number, { carrier: Carrier; via?: Carrier }>();
  /** The stream that moved alone last. */
  #changing: Stream | undefined;
  /** What is to move alone after it, the next at the end. */
  #changes: Change[] = [];
  count = 0;
  streams = 0;

  /** @param options.mayChange Whether the acceptor lets a stream move alone. */
  constructor(table: StreamTable, { mayChange }: { mayChange: boolean }) {
    this.#table = table;
    this.#mayChange = mayChange;
  }

  /**
   * Goes on with {@link changeInTurn}, also when the stream that moved last is over without an answer, or was moved with
   * its carrier. True: there is still something to do.
   */
  goOn(): boolean {
    this.#changeNext();
    return this.#isChanging;
  }

  /** Makes `changes` one after the other, each when the one before is answered; instead of what it has still to do. */
  changeInTurn(changes: readonly Change[]): void {
    this.#changes = changes.toReversed();
    this.#changeNext();
  }

  /** Moves `stream` alone to `to`. No effect when `to` is given up, it is not known to be accepted, or another one moves. */
  change(stream: Stream, to: Carrier): void {
    if (to.isGivenUp) return;
    if (!this.#mayChange || this.#isChanging || !stream.mayChange) return;
    if (stream.carrier === to) return;
    if (stream.carrier?.isGivenUp !== false) return;
    if (!this.#table.isOwn(stream.id) && stream.movedBytes === 0) return;
    this.#changing = stream;
    stream.change(to);
    this.streams++;
    to.sendControl(new Mover([], [stream]));
  }

  lost(carrier: Carrier): void {
    for (const one of this.#lost.values()) {
      if (one.via === carrier) delete one.via;
    }
    this.#lost.set(carrier.number, { carrier });
  }

  /**
   * Moves what waits to `carrier`. While a stream moves alone, to where that goes: its RESUME must come before its former
   * carrier is told to be over.
   */
  moveTo(carrier: Carrier): void {
    const changesTo = this.#isChanging ? this.#changing!.carrier : undefined;
    const to = changesTo?.isGivenUp === false ? changesTo : carrier;
    const numbers: number[] = [];
    const carriers = new Set<Carrier>();
    for (const [number, one] of this.#lost) {
      if (one.via !== undefined) continue;
      one.via = to;
      numbers.push(number);
      carriers.add(one.carrier);
    }
    if (numbers.length === 0) return;
    const streams = this.#table.all().filter((one) =>
      one.carrier !== undefined && carriers.has(one.carrier)
    );
    for (const stream of streams) {
      stream.hold(stream.carrier!.number);
      stream.carrier = to;
    }
    this.streams += streams.length;
    to.sendControl(new Mover(numbers, streams));
  }

  onResume(id: number): void {
    // The stream is still to be told.
    if (id === this.#changing?.id) queueMicrotask(this.#changeNext);
  }

  readonly #changeNext = () => {
    while (this.#changes.length > 0 && !this.#isChanging) {
      const { stream, to } = this.#changes.pop()!;
      this.change(stream, to);
    }
  };

  /** Whether the acceptor may not know where the stream is that moved alone last. */
  get #isChanging(): boolean {
    return this.#changing?.movesFrom !== undefined;
  }

  onMoved(on: Carrier, number: number, phase: MovePhase): void {
    if (phase !== movePhase.told || this.#lost.get(number)?.via !== on) {
      throw new ProtocolError("unexpected-frame", `MOVED of ${number}`);
    }
    this.#lost.delete(number);
    this.count++;
    forget(this.#table, number);
  }
}

/** The acceptor's part: it follows, and answers. */
export class AcceptorMoves implements Moves {
  readonly answersResume = true;
  readonly #table: StreamTable;
  readonly #takeLive: (number: number) => Carrier | undefined;
  /** Carriers that are lost here and that the dialer has not moved. */
  readonly #lost = new Map<number, Carrier>();
  #highestMoved = -1;
  count = 0;
  streams = 0;

  /** @param takeLive Takes a carrier out of the live ones. */
  constructor(
    table: StreamTable,
    takeLive: (number: number) => Carrier | undefined,
  ) {
    this.#table = table;
    this.#takeLive = takeLive;
  }

  /** Whether a carrier that is not there may come with this number: none that was moved before it came. */
  isFree(number: number): boolean {
    return number > this.#highestMoved && !this.#lost.has(number);
  }

  /** Carriers that wait to be moved. */
  get lostCount(): number {
    return this.#lost.size;
  }

  lost(carrier: Carrier): void {
    this.#lost.set(carrier.number, carrier);
  }

  onResume(id: number, on: Carrier): void {
    const stream = this.#table.get(id);
    if (stream === undefined || !stream.mayChange) return;
    this.streams++;
    stream.change(on);
  }

  onMoved(on: Carrier, number: number, phase: MovePhase): void {
    if (number === on.number) {
      throw new ProtocolError("unexpected-frame", "MOVED of its own carrier");
    }
    if (phase === movePhase.begins) return this.#follow(on, number);
    forget(this.#table, number);
    on.answer(new MovedAnswer(number));
  }

  #follow(to: Carrier, number: number): void {
    this.#highestMoved = Math.max(this.#highestMoved, number);
    const from = this.#takeLive(number) ?? this.#lost.get(number);
    if (from === undefined) return;
    this.count++;
    from.giveUp();
    this.#lost.delete(number);
    for (const stream of this.#table.all()) {
      if (stream.carrier !== from) continue;
      stream.carrier = to;
      this.streams++;
      if (!stream.hold(number)) to.sendControl(stream);
    }
  }
}

/** The other end has told all that it knows of a carrier's streams: what it did not tell is over. */
function forget(table: StreamTable, number: number): void {
  for (const stream of table.all()) {
    if (stream.movesFrom === number) stream.onForgotten();
  }
}
