/**
 * What is open through a tunnel while something is broken, and must not notice: long transfers in both directions, whose
 * bytes are compared, and a database session in the middle of a transaction.
 */
import assert from "node:assert/strict";
import { type Laptop, say, sleep, waitFor } from "../cluster/mod.ts";
import { DatabaseSession } from "./database_session.ts";
import type { Fault } from "./faults.ts";
import type { Tp } from "./laptop_tp.ts";
import { managerState } from "./manager_pods.ts";
import { Transfer } from "./transfer.ts";

const mebibyte = 1024 ** 2;
/** It lives as long as the session, and so tells that the session is the same. */
const table = "survivors";
/** How long a statement takes that is under way when a fault is made: it must have begun, and not be answered before. */
const statementSeconds = { short: 0.2, ofSilence: 1 };

export interface SurvivorsOptions {
  /** Of each transfer. Default 1 GiB. */
  readonly bytes?: number;
  /** Bytes a second of each transfer while faults are made. Default 12 MiB. */
  readonly rate?: number;
  /** Default: one down and one up. */
  readonly ways?: readonly ("down" | "up")[];
}

interface Parts {
  readonly laptop: Laptop;
  readonly tp: Tp;
  readonly stack: AsyncDisposableStack;
  readonly transfers: Transfer[];
  readonly database: DatabaseSession;
  /** The database's process for the session. */
  readonly backend: string;
}

export class Survivors implements AsyncDisposable {
  readonly #parts: Parts;
  #rows = 0;
  #checkedBytes = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @param tp Connected. */
  static async start(
    { laptop, tp }: { laptop: Laptop; tp: Tp },
    { bytes = 1024 * mebibyte, rate = 12 * mebibyte, ways = ["down", "up"] }:
      SurvivorsOptions = {},
  ): Promise<Survivors> {
    await using building = new AsyncDisposableStack();
    const database = building.use(await DatabaseSession.open(laptop));
    await database.ask(`create temporary table ${table} (row int)`);
    await database.ask("begin");
    const backend = await database.ask("select pg_backend_pid()");
    const transfers: Transfer[] = [];
    for (const way of ways) {
      const transfer = await Transfer.start(laptop, { way, bytes, rate });
      transfers.push(building.use(transfer));
    }
    const stack = building.move();
    const parts = { laptop, tp, stack, transfers, database, backend };
    return new Survivors(parts);
  }

  /** Bytes that have arrived as they were sent, of transfers that have ended. */
  get checkedBytes(): number {
    return this.#checkedBytes;
  }

  /** @throws {AssertionError} also when one does not go on in time */
  async outlive(fault: Fault): Promise<void> {
    const { name, withinMs } = fault;
    const slowestMs = await this.endure(fault);
    assert.ok(
      slowestMs <= withinMs,
      `${name}: it took longer than ${withinMs} ms: ${slowestMs}`,
    );
  }

  /**
   * Makes a fault while all are at work, and prints how long after it each goes on.
   *
   * @returns the longest of that, in ms
   * @throws {AssertionError} when one does not go on, or the fault has not happened
   */
  async endure({ name, make, silenceMs }: Fault): Promise<number> {
    const { database, transfers } = this.#parts;
    assert.ok(transfers.every((one) => !one.hasEnded), `${name}: too late`);
    const before = await this.#session();
    await this.#progress();
    const { short, ofSilence } = statementSeconds;
    const meanwhile = this.#insert(silenceMs === undefined ? short : ofSilence)
      .then(() => performance.now());
    const startMs = performance.now();
    await make();
    const endMs = performance.now();
    const since = async (work: Promise<unknown>) => {
      await work;
      return Math.round(performance.now() - endMs);
    };
    const [answerMs, ...times] = await Promise.all([
      since(meanwhile.then(() => database.ask("select 1"))),
      ...transfers.map((transfer) => since(transfer.progress())),
    ]);
    if (silenceMs === undefined) await this.#moved(before.moved_carriers);
    else {
      const answeredMs = await meanwhile - startMs;
      assert.ok(answeredMs >= 0.9 * silenceMs, `${name}: it was not silent`);
    }
    const after = await this.#session();
    const moved = after.moved_carriers - before.moved_carriers;
    const seconds = ((endMs - startMs) / 1000).toFixed(1);
    say(
      `survive: ${name} (${seconds} s, ${moved} carriers moved): goes on after: database ${answerMs} ms, transfers ${
        times.join(", ")
      } ms`,
    );
    assert.equal(
      after.former_sessions,
      before.former_sessions,
      `${name}: the session was made anew`,
    );
    return Math.max(answerMs, ...times);
  }

  /** Watches for `ms` that none of them stands still for longer than `withinMs`, whatever moves meanwhile. */
  async goOn(
    name: string,
    { ms, withinMs }: { ms: number; withinMs: number },
  ): Promise<void> {
    const before = await this.#session();
    const pauses = await Promise.all([
      this.#longestAnswer(ms),
      ...this.#parts.transfers.map((one) => one.longestPause(ms)),
    ]);
    const { moved_carriers: now } = await this.#session();
    const moved = now - before.moved_carriers;
    const [database, ...transfers] = pauses.map(Math.round);
    say(
      `survive: ${name} (${moved} carriers moved): longest pause: database ${database} ms, transfers ${
        transfers.join(", ")
      } ms`,
    );
    assert.ok(moved > 0, `${name}: nothing has moved`);
    assert.ok(Math.max(...pauses) <= withinMs, `${name}: ${pauses}`);
  }

  /** Begins anew what has ended, until all are at work. @throws {AssertionError} unless every byte of that has arrived */
  async renew(): Promise<void> {
    const { laptop, stack, transfers } = this.#parts;
    for (;;) {
      const at = transfers.findIndex((one) => one.hasEnded);
      if (at < 0) return;
      const { options } = transfers[at]!;
      await this.#check(transfers[at]!);
      transfers[at] = stack.use(await Transfer.start(laptop, options));
    }
  }

  /** Everything to its end. @throws {AssertionError} unless every byte and every row is there, once */
  async finish(): Promise<void> {
    const { database, transfers, backend } = this.#parts;
    await Promise.all(transfers.map((one) => one.release()));
    await Promise.all(transfers.map((one) => this.#check(one)));
    await database.ask("commit");
    const count = `select count(*), count(distinct row) from ${table}`;
    assert.equal(await database.ask(count), `${this.#rows}|${this.#rows}`);
    assert.equal(await database.ask("select pg_backend_pid()"), backend);
  }

  /** The table is gone with its session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.stack.disposeAsync();
  }

  async #check(transfer: Transfer): Promise<void> {
    await transfer.finish();
    this.#checkedBytes += transfer.options.bytes;
  }

  async #session() {
    return (await managerState(this.#parts.tp)).session;
  }

  /** Resolves when a carrier has been moved since. */
  async #moved(before: number): Promise<void> {
    await waitFor("carrier that has moved", async () => {
      const { moved_carriers: now } = await this.#session();
      return now > before || String(now);
    }, { timeoutMs: 10_000 });
  }

  async #progress(): Promise<void> {
    await Promise.all(this.#parts.transfers.map((one) => one.progress()));
  }

  async #longestAnswer(ms: number): Promise<number> {
    const endMs = performance.now() + ms;
    let longestMs = 0;
    while (performance.now() < endMs) {
      const startMs = performance.now();
      await this.#insert(0);
      longestMs = Math.max(longestMs, performance.now() - startMs);
      await sleep(20);
    }
    return longestMs;
  }

  async #insert(seconds: number): Promise<void> {
    const row = ++this.#rows;
    await this.#parts.database.ask(
      `insert into ${table} select ${row} from pg_sleep(${seconds})`,
    );
  }
}
