/** The load tool (tests/app/load.go) on a laptop. */
import type { Laptop } from "../../tests/cluster/mod.ts";

/** What is put on a way. */
export interface Load {
  readonly kind: "down" | "up" | "ping" | "connections" | "busy";
  /** Connections at the same time, of transfers or one after the other. */
  readonly streams: number;
  /** Open connections with round trips at the same time. */
  readonly pingers?: number;
}

/** The words of a load in a report. */
export function nameOf({ kind, streams }: Load): string {
  return `${kind} x${streams}`;
}

/** What came of it; each kind fills its own fields. */
export interface LoadResult {
  /** Bulk transfers: what arrived while it was measured. */
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
  /** All bulk, that included which came before and after it was measured. */
  readonly movedBytes: number;
  /** Transfers whose rest did not arrive in time, and which were cut. */
  readonly cut: number;
  /** Of the load tool itself. */
  readonly cpuSeconds: number;
}

/** Where the servers of the benchmarks answer, as IP:PORT. */
export interface Servers {
  readonly flood: string;
  readonly gauge: string;
  readonly source: string;
  readonly echo: string;
}

/** How long a load is there before it counts, and how long it counts. */
export interface Timing {
  readonly settleMs: number;
  readonly durationMs: number;
  /** How long nothing may happen before it is called hanging; default 10 000, in which TCP tries five times again. */
  readonly patienceMs?: number;
}

/** How long the rest of a transfer may take. */
const drainMs = 500;

/**
 * Runs one load to its end.
 *
 * @throws {Error} with what the load tool said if the transfer failed or hung
 */
export async function runLoad(
  laptop: Laptop,
  {
    tool,
    load,
    servers,
    timing: { settleMs, durationMs, patienceMs = 10_000 },
  }: {
    tool: string;
    load: Load;
    servers: Servers;
    timing: Timing;
  },
): Promise<LoadOutcome> {
  const { code, stdout, stderr, timedOut } = await laptop.run([
    tool,
    "load",
    load.kind,
    ...Object.entries(servers).flatMap(([name, at]) => [`-${name}`, at]),
    `-streams=${load.streams}`,
    `-pingers=${load.pingers ?? 1}`,
    `-settle=${Math.round(settleMs)}ms`,
    `-time=${Math.round(durationMs)}ms`,
    `-drain=${drainMs}ms`,
    `-patience=${patienceMs}ms`,
  ], { timeoutMs: settleMs + durationMs + drainMs + 3 * patienceMs });
  if (timedOut) throw new Error("it did not end in time");
  if (code !== 0) throw new Error(stderr.trim().replace(/^\S+ \S+ /, ""));
  return JSON.parse(stdout);
}
