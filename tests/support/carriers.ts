/** The TCP connections between a laptop and the API server, and what befalls them. */
import { type Cluster, type Laptop, must } from "../cluster/mod.ts";

/** Where the connections lead: the cluster, or what is before it. */
export type Server = Pick<Cluster, "apiServerAddress">;

/** Breaks all of them off, as a firewall does that has forgotten them: each end gets a reset. */
export async function resetConnections(
  laptop: Laptop,
  server: Server,
): Promise<void> {
  await must(laptop.command(["ss", "-K", ...selector(server)]));
}

/** A connection, as the laptop's kernel counts. */
export interface Connection {
  /** The laptop's port. */
  readonly port: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** Those that are established, the busiest first. */
export async function listConnections(
  laptop: Laptop,
  server: Server,
): Promise<Connection[]> {
  const text = await must(
    laptop.command(["ss", "-HtniO", "state", "established"])
      .concat(selector(server)),
  );
  const count = (line: string, name: string) =>
    Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0);
  return text.split("\n").filter((line) => line !== "").map((line) => ({
    port: Number(/:(\d+)\s/.exec(line)?.[1]),
    bytesSent: count(line, "bytes_sent"),
    bytesReceived: count(line, "bytes_received"),
  })).sort((a, b) =>
    b.bytesSent + b.bytesReceived - a.bytesSent - a.bytesReceived
  );
}

/** Makes a black hole of one of them, in both directions; disposing of it mends that. */
export async function swallowConnection(
  laptop: Laptop,
  { port }: Connection,
): Promise<AsyncDisposable> {
  const table = `hole_${port}`;
  const rules = `table inet ${table} {
  chain in { type filter hook input priority filter; tcp dport ${port} drop; }
  chain out { type filter hook output priority filter; tcp sport ${port} drop; }
}`;
  await must(laptop.command(["nft", "-f", "-"]), { stdin: rules });
  return {
    [Symbol.asyncDispose]: async () => {
      await must(laptop.command(["nft", "delete", "table", "inet", table]));
    },
  };
}

function selector({ apiServerAddress: { host, port } }: Server): string[] {
  return ["dst", host, "dport", "=", `:${port}`];
}
