/** Which way led to a cluster the last time, across processes: a file that may be lost, or hold anything. */
import {
  type ClusterAccess,
  type PortForwardWay,
  portForwardWays,
} from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { cacheDirectory } from "../process/paths.ts";

const log = logger("connector");

/** After so long the better ways are given another chance, in ms. */
const lifetimeMs = 7 * 24 * 3_600_000;
/** Clusters of which it is known; the oldest are forgotten. */
const entryLimit = 64;
/** A larger file is not ours. */
const fileLimitBytes = 64 * 1024;

interface Entry {
  way: PortForwardWay;
  /** When it was found, in ms since 1970. */
  at: number;
}

export interface WayMemoryOptions {
  path?: string;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Clusters are told apart by context and address. */
type Key = Pick<ClusterAccess, "context" | "server">;

export class WayMemory {
  readonly #path: string;
  readonly #now: () => number;

  constructor(
    { path = `${cacheDirectory()}/ways.json`, now = Date.now }:
      WayMemoryOptions = {},
  ) {
    this.#path = path;
    this.#now = now;
  }

  /** The way that worked; `undefined` when nothing is known. */
  async recall(key: Key): Promise<PortForwardWay | undefined> {
    return (await this.#read()).get(nameOf(key))?.way;
  }

  /** Notes it for later. Where it cannot be written it is forgotten. */
  async note(key: Key, way: PortForwardWay): Promise<void> {
    try {
      const entries = await this.#read();
      // Moved to the end: the oldest stand first.
      entries.delete(nameOf(key));
      entries.set(nameOf(key), { way, at: this.#now() });
      await this.#write([...entries].slice(-entryLimit));
    } catch (error) {
      log.debug("cannot note the way", { error });
    }
  }

  async #read(): Promise<Map<string, Entry>> {
    try {
      const { size } = await Deno.stat(this.#path);
      if (size > fileLimitBytes) return new Map();
      const value = JSON.parse(await Deno.readTextFile(this.#path));
      const entries = Object.entries(value ?? {}).filter(([, entry]) =>
        this.#isValid(entry)
      );
      return new Map(entries as [string, Entry][]);
    } catch {
      return new Map();
    }
  }

  #isValid(value: unknown): value is Entry {
    const { way, at } = (value ?? {}) as Partial<Entry>;
    const age = this.#now() - Number(at);
    return portForwardWays.some((one) => one === way) && age >= 0 &&
      age < lifetimeMs;
  }

  /** In one step, so that nobody reads half of it. */
  async #write(entries: [string, Entry][]): Promise<void> {
    const directory = this.#path.slice(0, this.#path.lastIndexOf("/"));
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    const draft = `${this.#path}.${Deno.pid}`;
    const text = JSON.stringify(Object.fromEntries(entries), null, 1);
    await Deno.writeTextFile(draft, `${text}\n`, { mode: 0o600 });
    await Deno.rename(draft, this.#path);
  }
}

function nameOf({ context, server }: Key): string {
  return `${context} ${server.href}`;
}
