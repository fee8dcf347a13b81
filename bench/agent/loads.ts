/** What the ways to an app are compared by: loads of the load tool (tests/app/load_http.go), and their figures. */
import type { LoadResult } from "../measure/load.ts";

export interface AgentLoad {
  readonly name: string;
  /** Arguments of the load tool, but for the address. */
  readonly args: readonly string[];
  readonly path: string;
  readonly figures: readonly AgentFigure[];
}

export interface AgentFigure {
  readonly name: string;
  readonly unit: "Gbit/s" | "/s" | "us";
  read(result: LoadResult): number | undefined;
}

const perSecond = (name: string): AgentFigure => ({
  ...{ name, unit: "/s" },
  read: (result) => result.perSecond,
});
const latencies = (name: string): AgentFigure[] => [
  { name: `${name} p50`, unit: "us", read: (result) => result.p50Us },
  { name: `${name} p99`, unit: "us", read: (result) => result.p99Us },
];

/** Large enough that its head costs nothing. */
const download = "/bytes/67108864";

/** In the order in which they are made. */
export const loads: readonly AgentLoad[] = [
  {
    ...{ name: "download", args: ["fetch"], path: download },
    figures: [{
      ...{ name: "download", unit: "Gbit/s" },
      read: ({ bytes = 0, seconds = 1 }) => bytes * 8 / 1e9 / seconds,
    }],
  },
  {
    ...{ name: "requests x16", args: ["requests", "-streams=16"], path: "/" },
    figures: [perSecond("requests, 16 kept connections")],
  },
  {
    ...{ name: "requests x1", args: ["requests"], path: "/" },
    figures: latencies("request"),
  },
  {
    name: "connections x16",
    args: ["requests", "-streams=16", "-fresh"],
    path: "/",
    figures: [perSecond("connections, 16 in flight")],
  },
  {
    ...{ name: "h2 download", args: ["fetch", "-h2"], path: download },
    figures: [{
      ...{ name: "h2 download", unit: "Gbit/s" },
      read: ({ bytes = 0, seconds = 1 }) => bytes * 8 / 1e9 / seconds,
    }],
  },
  {
    name: "h2 requests x16",
    args: ["requests", "-h2", "-streams=16"],
    path: "/",
    figures: [perSecond("h2 requests, 16 at a time")],
  },
  {
    ...{ name: "h2 requests x1", args: ["requests", "-h2"], path: "/" },
    figures: latencies("h2 request"),
  },
];
