/**
 * What is open through a tunnel while something is broken, and must not notice: two transfers of a gibibyte, one in each
 * direction, and a database session in the middle of a transaction.
 */
import assert from "node:assert/strict";
import { type Laptop, say } from "../cluster/mod.ts";
import { DatabaseSession } from "./database_session.ts";
import { Transfer } from "./transfer.ts";

const mebibyte = 1024 ** 2;
/** It lives as long as the session, and so tells that the session is the same. */
const table = "survivors";

/** A fault, and how it is judged. */
export interface Fault {
  /** Completes the sentence "outlives …". */
  readonly name: string;
  /** Resolves when what was broken is whole again. */
  make(): Promise<void>;
  /** How soon after that all goes on. */
  readonly withinMs: number;
}

export interface SurvivorsOptions {
  /** Of each transfer. Default 1 GiB. */
  readonly bytes?: number;
  /** Bytes a second of each transfer while faults are made. Default 24 MiB. */
  readonly rate?: number;
}

export class Survivors implements AsyncDisposable {
  readonly #transfers: readonly Transfer[];
  readonly #database: DatabaseSession;
  readonly #backend: string;
  readonly #stack: AsyncDisposableStack;
  #rows = 0;

  private constructor(
    stack: AsyncDisposableStack,
    parts: {
      transfers: Transfer[];
      database: DatabaseSession;
      backend: string;
    },
  ) {
    this.#stack = stack;
    this.#transfers = parts.transfers;
    this.#database = parts.database;
    this.#backend = parts.backend;
  }

  static async start(
    laptop: Laptop,
    { bytes = 1024 * mebibyte, rate = 24 * mebibyte }: SurvivorsOptions = {},
  ): Promise<Survivors> {
    await using building = new AsyncDisposableStack();
    const database = building.use(await DatabaseSession.open(laptop));
    await database.ask(`create temporary table ${table} (row int)`);
    await database.ask("begin");
    const backend = await database.ask("select pg_backend_pid()");
    const transfers: Transfer[] = [];
    for (const way of ["down", "up"] as const) {
      const transfer = await Transfer.start(laptop, { way, bytes, rate });
      transfers.push(building.use(transfer));
    }
    return new Survivors(building.move(), { transfers, database, backend });
  }

  /** Makes a fault while all are at work, and prints how long after it each goes on. */
  async outlive({ name, make, withinMs }: Fault): Promise<void> {
    await this.#progress();
    const meanwhile = this.#insert();
    const startMs = performance.now();
    await make();
    const endMs = performance.now();
    const since = async (work: Promise<void>) => {
      await work;
      return Math.round(performance.now() - endMs);
    };
    const times = await Promise.all([
      since(meanwhile.then(() => this.#insert())),
      ...this.#transfers.map((transfer) => since(transfer.progress())),
    ]);
    const [database, down, up] = times;
    const faultS = ((endMs - startMs) / 1000).toFixed(1);
    say(
      `survive: ${name} (${faultS} s): goes on after: database ${database} ms, down ${down} ms, up ${up} ms`,
    );
    assert.ok(
      Math.max(...times) <= withinMs,
      `${name}: it took longer than ${withinMs} ms: ${times}`,
    );
  }

  /** Everything to its end. @throws {AssertionError} unless every byte and every row is there, once */
  async finish(): Promise<void> {
    await Promise.all(this.#transfers.map((one) => one.release()));
    await Promise.all(this.#transfers.map((one) => one.finish()));
    await this.#database.ask("commit");
    const count = `select count(*), count(distinct row) from ${table}`;
    assert.equal(
      await this.#database.ask(count),
      `${this.#rows}|${this.#rows}`,
    );
    const backend = await this.#database.ask("select pg_backend_pid()");
    assert.equal(backend, this.#backend);
  }

  /** The table is gone with its session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #progress(): Promise<void> {
    await Promise.all(this.#transfers.map((transfer) => transfer.progress()));
  }

  async #insert(): Promise<void> {
    await this.#database.ask(`insert into ${table} values (${++this.#rows})`);
  }
}
