/** What is measured: a load, and the figures that come of it. */
import type { Load, LoadResult } from "./load.ts";

/** One line of the report. */
export interface Figure {
  readonly name: string;
  readonly unit: "Gbit/s" | "/s" | "us";
  read(result: LoadResult): number | undefined;
  /** What `tp` / `kubectl port-forward` shall be. */
  readonly target?: Target;
}

/** Bounds of a ratio. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** One load, and the figures that come of it. */
export interface Measurement {
  readonly load: Load;
  readonly figures: readonly Figure[];
}

export function isMet(target: Target, ratio: number): boolean {
  return "atLeast" in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

const gbit = "Gbit/s";

/** Of a bulk transfer, or of the one beside which something else was measured. */
function gbitPerSecond(result: LoadResult): number | undefined {
  const { bytes, seconds } = result.bulk ?? result;
  return bytes === undefined || seconds === undefined
    ? undefined
    : bytes * 8 / 1e9 / seconds;
}

export function bulk(
  kind: "down" | "up",
  streams: number,
  target?: Target,
): Measurement {
  const direction = kind === "down" ? "download" : "upload";
  const name = `${direction}, ${count(streams, "stream")}`;
  return {
    load: { kind, streams },
    figures: [{ name, unit: gbit, read: gbitPerSecond, ...targetOf(target) }],
  };
}

/** Connections that each carry a small request, so many in flight. */
export function connections(streams: number, target?: Target): Measurement {
  const name = `connections, ${streams} in flight`;
  return {
    load: { kind: "connections", streams },
    figures: [
      {
        name,
        unit: "/s",
        read: (result) => result.perSecond,
        ...targetOf(target),
      },
      { name: `${name}, p50`, unit: "us", read: (result) => result.p50Us },
    ],
  };
}

/** Round trips on `pingers` open connections, and nothing else. */
export function requests(pingers: number, target?: Target): Measurement {
  return {
    load: { kind: "ping", streams: 1, pingers },
    figures: [
      {
        name: "request p50, idle",
        unit: "us",
        read: (result) => result.p50Us,
        ...targetOf(target),
      },
      { name: "request p99, idle", unit: "us", read: (result) => result.p99Us },
    ],
  };
}

/** Round trips beside so many downloads. */
export function busy(streams: number, pingers: number): Measurement {
  const beside = `beside ${count(streams, "download")}`;
  return {
    load: { kind: "busy", streams, pingers },
    figures: [
      {
        name: `request p50, ${beside}`,
        unit: "us",
        read: (result) => result.p50Us,
      },
      {
        name: `request p99, ${beside}`,
        unit: "us",
        read: (result) => result.p99Us,
      },
      {
        name: streams > 1 ? `those ${streams} downloads` : "that download",
        unit: gbit,
        read: gbitPerSecond,
      },
    ],
  };
}

function targetOf(target: Target | undefined): { target?: Target } {
  return target === undefined ? {} : { target };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number > 1 ? "s" : ""}`;
}
