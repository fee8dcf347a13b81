/**
 * What a person does on a laptop that is connected: asks for names of the cluster and of the outside, opens services, and
 * has a transaction open. For who changes something below it.
 */
import assert from "node:assert/strict";
import { type Laptop, outside, say, waitFor } from "../cluster/mod.ts";
import { DatabaseSession } from "./database_session.ts";

/** Asked for in turn, so that no answer is one that is still known. */
const services = [
  "redis.default",
  "verylargedatastore.default",
  "dataprocessingservice.default",
  "kubernetes.default",
];
const page = "http://verylargejavaservice.default:8080/";
/** Longer than anything may take: what has not happened by then does not happen. */
const patienceMs = 30_000;
/** As long as a resolver waits. */
const attemptSeconds = 5;

/** A change of the laptop or its network. */
export interface Change {
  /** Completes the sentence "works again after …". */
  readonly name: string;
  /** Resolves when the laptop is as it will stay. */
  make(): PromiseLike<void>;
}

/** Dispose of it before the connection ends. */
export class LaptopUse implements AsyncDisposable {
  readonly #laptop: Laptop;
  readonly #database: DatabaseSession;
  #rows = 0;
  #changes = 0;

  private constructor(laptop: Laptop, database: DatabaseSession) {
    this.#laptop = laptop;
    this.#database = database;
  }

  /** Opens the transaction. */
  static async start(laptop: Laptop): Promise<LaptopUse> {
    const database = await DatabaseSession.open(laptop);
    await database.ask("create temporary table rows (row int)");
    await database.ask("begin");
    return new LaptopUse(laptop, database);
  }

  /**
   * Makes a change, and prints after how many ms each works again.
   *
   * @throws {AssertionError} when one does not within so many
   */
  async outlive(
    { name, make }: Change,
    { withinMs }: { withinMs: number },
  ): Promise<void> {
    const service = services[this.#changes++ % services.length]!;
    await make();
    const startMs = performance.now();
    const uses = {
      "cluster name": this.#resolves(service),
      "outside name": this.#resolves(outside.name, outside.web.ipv4),
      "service": this.#opens(page),
      "open transaction": this.#insert(),
    };
    const times = await Promise.all(
      Object.entries(uses).map(async ([what, use]) => {
        await use;
        return { what, ms: Math.round(performance.now() - startMs) };
      }),
    );
    const words = times.map(({ what, ms }) => `${what} ${ms} ms`);
    const slowestMs = Math.max(...times.map(({ ms }) => ms));
    say(`${name}: works again after: ${words.join(", ")}`);
    assert.ok(slowestMs <= withinMs, `${name}: ${slowestMs} ms`);
  }

  /** Resolves an outside name, once. @returns after how many ms, or that there was no answer */
  async outsideNameMs(): Promise<number> {
    const { stdout, durationMs } = await this.#ask(outside.name);
    assert.ok(stdout.startsWith(`${outside.web.ipv4} `), stdout);
    return durationMs;
  }

  /** Ends the transaction. @throws {AssertionError} unless all of it is there */
  async finish(): Promise<void> {
    await this.#database.ask("commit");
    const rows = await this.#database.ask("select count(*) from rows");
    assert.equal(rows, String(this.#rows));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }

  #ask(name: string) {
    return this.#laptop.run(
      ["timeout", `${attemptSeconds}`, "getent", "ahostsv4", name],
    );
  }

  async #resolves(name: string, address = ""): Promise<void> {
    await waitFor(`answer for ${name}`, async () => {
      const { code, stdout } = await this.#ask(name);
      return code === 0 && stdout.startsWith(address) || `${code} ${stdout}`;
    }, { timeoutMs: patienceMs, everyMs: 50 });
  }

  async #opens(url: string): Promise<void> {
    await waitFor(`answer of ${url}`, async () => {
      const { stdout, stderr } = await this.#laptop.run(
        ["curl", "-sS", "-m", `${attemptSeconds}`, url],
      );
      return stdout.includes("EdgyCorp") || stderr;
    }, { timeoutMs: patienceMs, everyMs: 50 });
  }

  async #insert(): Promise<void> {
    const row = ++this.#rows;
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error("Cannot go on: the transaction stands still")),
      patienceMs,
    );
    const insert = `insert into rows values (${row})`;
    try {
      await Promise.race([this.#database.ask(insert), promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
