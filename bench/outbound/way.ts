/** The ways from a laptop to the servers of the benchmarks. */
import type { Laptop } from "../../tests/cluster/mod.ts";
import type { Servers } from "./load.ts";
import type { Processes } from "./usage.ts";

export type WayName = "direct" | "kubectl" | "session" | "tp";

/** One way, open until disposed of. */
export interface Way extends AsyncDisposable {
  readonly name: WayName;
  readonly laptop: Laptop;
  readonly servers: Servers;
  /** The processes that carry it, by their names in the report. */
  readonly processes: Processes;
  /** Brings it back if it has broken. @returns what it said when it broke, `undefined` if it has not */
  mend(): Promise<string | undefined>;
}

/** The servers of one address. */
export function serversAt(host: string): Servers {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return {
    source: `${bracketed}:5002`,
    echo: `${bracketed}:5003`,
    blocks: `${bracketed}:5006`,
  };
}
