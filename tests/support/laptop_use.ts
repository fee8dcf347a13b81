/**
 * What a person does on a laptop that is connected: asks for names of the cluster and of the outside, opens services, and
 * has something open that lasts. For who changes something below it.
 */
import assert from "node:assert/strict";
import { type Laptop, outside, say, waitFor } from "../cluster/mod.ts";
import { DatabaseSession } from "./database_session.ts";

/** What is used of a cluster. */
export interface Used {
  /** Names, asked for in turn, so that no answer is one that is still known. */
  readonly names: readonly string[];
  readonly page: { readonly url: string; readonly text: string };
  /** Opens a conversation with a service that lasts. */
  converse(laptop: Laptop): Promise<Conversation>;
}

/** What both sides must remember from beginning to end. */
export interface Conversation extends AsyncDisposable {
  /** Says something, and waits until it has arrived. */
  say(): Promise<void>;
  /** @throws {AssertionError} unless all of it is there */
  finish(): Promise<void>;
}

/** The sample application of the bed. */
const sample: Used = {
  names: [
    "redis.default",
    "verylargedatastore.default",
    "dataprocessingservice.default",
    "kubernetes.default",
  ],
  page: {
    url: "http://verylargejavaservice.default:8080/",
    text: "EdgyCorp",
  },
  converse: openTransaction,
};
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
  readonly #used: Used;
  readonly #conversation: Conversation;
  #changes = 0;

  private constructor(
    laptop: Laptop,
    used: Used,
    conversation: Conversation,
  ) {
    this.#laptop = laptop;
    this.#used = used;
    this.#conversation = conversation;
  }

  /** Opens the conversation; a transaction where nothing else is said. */
  static async start(laptop: Laptop, used = sample): Promise<LaptopUse> {
    return new LaptopUse(laptop, used, await used.converse(laptop));
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
    const { names, page: { url, text } } = this.#used;
    const clusterName = names[this.#changes++ % names.length]!;
    await make();
    const startMs = performance.now();
    const uses = {
      "cluster name": this.#resolves(clusterName),
      "outside name": this.#resolves(outside.name, outside.web.ipv4),
      "service": this.#opens(url, text),
      "what is open": this.#says(),
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

  /** @throws {AssertionError} unless all that was said has arrived */
  async finish(): Promise<void> {
    await this.#conversation.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#conversation[Symbol.asyncDispose]();
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

  async #opens(url: string, text: string): Promise<void> {
    await waitFor(`answer of ${url}`, async () => {
      const { stdout, stderr } = await this.#laptop.run(
        ["curl", "-sS", "-m", `${attemptSeconds}`, url],
      );
      return stdout.includes(text) || stderr;
    }, { timeoutMs: patienceMs, everyMs: 50 });
  }

  async #says(): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error("Cannot go on: what was open stands still")),
      patienceMs,
    );
    try {
      await Promise.race([this.#conversation.say(), promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A transaction of psql. */
async function openTransaction(laptop: Laptop): Promise<Conversation> {
  const database = await DatabaseSession.open(laptop);
  await database.ask("create temporary table rows (row int)");
  await database.ask("begin");
  let rows = 0;
  return {
    say: async () => {
      await database.ask(`insert into rows values (${++rows})`);
    },
    finish: async () => {
      await database.ask("commit");
      assert.equal(await database.ask("select count(*) from rows"), `${rows}`);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
