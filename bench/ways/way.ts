/** The ways from a laptop to the servers of the benchmarks. */
import type { Laptop } from "../../tests/cluster/mod.ts";
import type { Servers } from "../measure/load.ts";
import type { Processes } from "../measure/usage.ts";

/** In the order of the reports; `tp-direct` is `tp` by the manager's direct endpoint. */
export const wayNames = [
  "direct",
  "kubectl",
  "session",
  "tp",
  "tp-direct",
] as const;

export type WayName = typeof wayNames[number];

/** One way, open until disposed of. */
export interface Way extends AsyncDisposable {
  readonly name: WayName;
  readonly laptop: Laptop;
  readonly servers: Servers;
  /** The processes that carry it, by their names in the report. */
  readonly processes: Processes;
  /** Brings it back if it has broken. @returns what it said when it broke, `undefined` if it has not */
  mend(): Promise<string | undefined>;
  /** Opens it anew: nothing that was on the way is left. */
  renew(): Promise<void>;
}

/** The servers of one address. */
export function serversAt(host: string): Servers {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return {
    source: `${bracketed}:5002`,
    echo: `${bracketed}:5003`,
    flood: `${bracketed}:5007`,
    gauge: `${bracketed}:5008`,
  };
}
