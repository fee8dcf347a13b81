/** The load tool (tests/app/load.go) on a laptop. */
import type { Laptop } from "../../tests/cluster/mod.ts";

/** What is put on a way. */
export interface Load {
  readonly kind: "down" | "up" | "ping" | "connections" | "busy";
  /** Connections at the same time. */
  readonly streams: number;
}

/** What came of it; each kind fills its own fields. */
export interface LoadResult {
  /** Bulk transfers: all bytes, from the first connect to the last end. */
  readonly bytes?: number;
  readonly seconds?: number;
  /** Round trips, or whole connections. */
  readonly count?: number;
  readonly p50Us?: number;
  readonly p99Us?: number;
  readonly perSecond?: number;
  /** Connections that did not succeed, and what the last of them said. */
  readonly failed?: number;
  readonly failure?: string;
  /** The download beside which the round trips were. */
  readonly bulk?: { readonly bytes: number; readonly seconds: number };
}

export interface LoadOutcome {
  readonly result: LoadResult;
  /** All bulk, that included by which the load tool found the rate. */
  readonly movedBytes: number;
  /** Of the load tool itself. */
  readonly cpuSeconds: number;
}

/** Where the servers of the benchmarks answer, as IP:PORT. */
export interface Servers {
  readonly blocks: string;
  readonly source: string;
  readonly echo: string;
}

/** How long nothing may happen in a transfer before it is called hanging. */
const patienceMs = 5_000;

/**
 * Runs one load to its end.
 *
 * @throws {Error} with what the load tool said if the transfer failed or hung
 */
export async function runLoad(
  laptop: Laptop,
  { tool, load, servers, durationMs }: {
    tool: string;
    load: Load;
    servers: Servers;
    durationMs: number;
  },
): Promise<LoadOutcome> {
  const { code, stdout, stderr, timedOut } = await laptop.run([
    tool,
    "load",
    load.kind,
    ...Object.entries(servers).flatMap(([name, at]) => [`-${name}`, at]),
    `-streams=${load.streams}`,
    `-time=${durationMs}ms`,
    `-patience=${patienceMs}ms`,
  ], { timeoutMs: 4 * durationMs + 3 * patienceMs });
  if (timedOut) throw new Error("it did not end in time");
  if (code !== 0) throw new Error(stderr.trim().replace(/^\S+ \S+ /, ""));
  return JSON.parse(stdout);
}
