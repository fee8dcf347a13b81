/**
 * In which namespaces of a cluster sessions of this laptop have objects, across processes: so that what a killed connector
 * left is found again. A file for each session, from before its first object until it has none.
 */
import { join } from "node:path";
import { logger } from "../../log.ts";
import { cacheDirectory } from "../process/paths.ts";

const log = logger("connector");

/** By then the manager has deleted what was left, whatever grace an admin gave it, or the cluster is of no more use. */
const lifetimeMs = 30 * 24 * 3_600_000;

export interface SessionRecord {
  /** Thumbprint of its key. */
  readonly session: string;
  readonly namespaces: readonly string[];
}

export interface SessionRecordsOptions {
  /** Of the API server: other clusters' records are left alone. */
  server: URL;
  directory?: string;
  /** Name of the laptop: a home may be shared by several. */
  host?: string;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export class SessionRecords {
  readonly #server: string;
  readonly #directory: string;
  readonly #host: string;
  readonly #now: () => number;
  /** What this process has noted. */
  readonly #noted = new Map<string, Set<string>>();

  constructor(
    {
      server,
      directory = `${cacheDirectory()}/sessions`,
      host = Deno.hostname(),
      now = Date.now,
    }: SessionRecordsOptions,
  ) {
    this.#host = host;
    this.#server = server.href;
    this.#directory = directory;
    this.#now = now;
  }

  /** To be called before something is made there. Where it cannot be written, what is left ends by its session's grace. */
  async note(session: string, namespace: string): Promise<void> {
    const namespaces = this.#noted.get(session) ?? new Set();
    if (namespaces.has(namespace)) return;
    namespaces.add(namespace);
    this.#noted.set(session, namespaces);
    const place = { server: this.#server, host: this.#host };
    const record = { ...place, namespaces: [...namespaces] };
    const path = this.#pathOf(session);
    try {
      await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const draft = `${path}.new`;
      await Deno.writeTextFile(draft, JSON.stringify(record), { mode: 0o600 });
      await Deno.rename(draft, path);
    } catch (error) {
      log.debug("cannot note where objects are", { error });
    }
  }

  /** Nothing of it is left. */
  async forget(session: string): Promise<void> {
    this.#noted.delete(session);
    await Deno.remove(this.#pathOf(session)).catch(() => {});
    await Deno.remove(this.#directory).catch(() => {});
  }

  /** Those of the cluster, whichever process of this laptop has noted them. */
  async all(): Promise<SessionRecord[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.#directory))
      .catch(() => []);
    const found: SessionRecord[] = [];
    for (const { name } of entries) {
      const [, session] = /^([0-9a-f]{64})\.json$/.exec(name) ?? [];
      if (session === undefined) continue;
      const record = await this.#read(session);
      if (record === undefined) await this.forget(session);
      const { server, host, namespaces } = record ?? {};
      if (server === this.#server && host === this.#host) {
        found.push({ session, namespaces });
      }
    }
    return found;
  }

  /** `undefined` for one that is of no use. */
  async #read(session: string) {
    try {
      const path = this.#pathOf(session);
      const { mtime } = await Deno.stat(path);
      if (this.#now() - Number(mtime) > lifetimeMs) return undefined;
      const record = JSON.parse(await Deno.readTextFile(path));
      const { server, host, namespaces } = record;
      const isWhole = [server, host, ...namespaces].every((one) =>
        typeof one === "string"
      );
      return isWhole ? { server, host, namespaces } : undefined;
    } catch {
      return undefined;
    }
  }

  #pathOf(session: string): string {
    return join(this.#directory, `${session}.json`);
  }
}
