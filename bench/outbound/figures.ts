/** What is measured, and what is asked of `tp`. */
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

/** Of a bulk transfer, or of the one beside which something else was measured. */
function gbitPerSecond(result: LoadResult): number | undefined {
  const { bytes, seconds } = result.bulk ?? result;
  return bytes === undefined || seconds === undefined
    ? undefined
    : bytes * 8 / 1e9 / seconds;
}

function bulk(
  kind: "down" | "up",
  streams: number,
  target: Target,
): Measurement {
  const direction = kind === "down" ? "download" : "upload";
  const name = `${direction}, ${streams} stream${streams > 1 ? "s" : ""}`;
  return {
    load: { kind, streams },
    figures: [{ name, unit: "Gbit/s", read: gbitPerSecond, target }],
  };
}

function connections(streams: number, target?: Target): Measurement {
  return {
    load: { kind: "connections", streams },
    figures: [{
      name: `connections, ${streams} in flight`,
      unit: "/s",
      read: (result) => result.perSecond,
      ...(target === undefined ? {} : { target }),
    }],
  };
}

/** In the order in which they are made. */
export const measurements: readonly Measurement[] = [
  bulk("down", 1, { atLeast: 0.8 }),
  bulk("up", 1, { atLeast: 0.7 }),
  bulk("down", 8, { atLeast: 0.9 }),
  bulk("up", 8, { atLeast: 0.9 }),
  {
    load: { kind: "ping", streams: 1 },
    figures: [
      {
        name: "request p50, idle",
        unit: "us",
        read: (result) => result.p50Us,
        target: { atMost: 1.25 },
      },
      {
        name: "request p99, idle",
        unit: "us",
        read: (result) => result.p99Us,
      },
    ],
  },
  {
    load: { kind: "busy", streams: 1 },
    figures: [
      {
        name: "request p50, beside 1 download",
        unit: "us",
        read: (result) => result.p50Us,
      },
      {
        name: "request p99, beside 1 download",
        unit: "us",
        read: (result) => result.p99Us,
      },
      { name: "that download", unit: "Gbit/s", read: gbitPerSecond },
    ],
  },
  connections(1),
  connections(16, { atLeast: 3 }),
];
