import type { Status } from "../../connector/api.ts";
import type { RootTool } from "../_root.ts";
import type { ClusterFacts } from "../../connector/mod.ts";
import type { Tun } from "./tun.ts";

/** What was found of a connection that stands; absent parts were not looked at. */
export interface ConnectionFacts {
  status: Status;
  /** What routes by the TUN device should lead to and do not: subnets, ranges of virtual addresses, our DNS. */
  missingRoutes: string[];
  /** Content of the host's resolver file. */
  resolverFile: string;
  /** A name of the cluster, and who answers what for it. */
  name: string;
  byResolver: Lookup;
  byQuery: Lookup;
}

/** Addresses, in no order; or in words why there are none. */
export type Lookup = { addresses: string[] } | { failure: string };

/** All that the verdicts are made of. */
export interface Facts {
  laptop: {
    connector: "runs" | "none" | { failure: string; remedy: string };
    /** A killed daemon left something. */
    leftover: boolean;
    /** `/dev/net/tun`. */
    tun: Tun;
    /** How root's rights are had; "forbidden": no program that starts here becomes root. */
    root: "root" | "none" | "forbidden" | RootTool;
  };
  cluster: ClusterFacts;
  connection?: ConnectionFacts;
}

export interface Verdict {
  state: "ok" | "warning" | "failed";
  /** What was found, as a line. */
  found: string;
  /** What to do about it; absent when there is nothing to do. */
  remedy?: string;
}

/** One thing that is looked at. */
export interface Check {
  /** Stable, for programs. */
  id: string;
  /** For people. */
  title: string;
  /** `undefined` when this check has no place: what it is about was not looked at, or is not there. */
  judge(facts: Facts): Verdict | undefined;
}

export function ok(found: string): Verdict {
  return { state: "ok", found };
}

export function warning(found: string, remedy: string): Verdict {
  return { state: "warning", found, remedy };
}

export function failed(found: string, remedy: string): Verdict {
  return { state: "failed", found, remedy };
}
