/** What sessions and their streams cost a manager: laptops that speak the tunnel, all in one process on its own host. */
import { sleep } from "../../tests/cluster/mod.ts";
import { BigCluster } from "../../tests/support/big_cluster/big_cluster.ts";
import { large } from "../../tests/support/big_cluster/shape.ts";
import { table } from "../measure/table.ts";
import { echoServers, startEchoServers } from "./echo_servers.ts";
import { costOf, megabytes, percent } from "./process_cost.ts";
import { RemoteHolder } from "./remote_holder.ts";
import { formatSlope, slopeOf } from "./slope.ts";
import { measureStreams, type StreamsOptions } from "./streams_table.ts";

export interface SessionsOptions extends StreamsOptions {
  /** How many sessions are open, in turn; the streams are spread over the last of these. */
  readonly sessions: readonly number[];
}

/** Namespaces that come to be, one by one. */
const changes = 20;
const changeMs = 200;
/** How long the manager gets to come to rest. */
const restMs = 1_000;

export async function measureManager(
  options: SessionsOptions,
): Promise<string> {
  await using cluster = await BigCluster.open(large);
  await startEchoServers(cluster);
  const [program = "", ...args] = cluster.command(
    RemoteHolder.command("session_holder.ts", echoServers),
  );
  const io = { stdin: "piped", stdout: "piped" } as const;
  await using holder = await RemoteHolder.of(
    new Deno.Command(program, { args, ...io }).spawn(),
  );
  return [
    await measureSessions(cluster, { holder, ...options }),
    await measureChanges(cluster, options),
    "",
    `${options.sessions.at(-1)} sessions:`,
    await measureStreams(holder, { manager: cluster.managerPid }, options),
    "intercepts: this release has none",
  ].join("\n");
}

async function measureSessions(
  { managerPid: manager }: BigCluster,
  { holder, sessions, seconds }: SessionsOptions & { holder: RemoteHolder },
): Promise<string> {
  const rows = [["sessions", "opened/s", "manager MB", "idle CPU %"]];
  const points: [number, number][] = [];
  let open = 0;
  for (const count of sessions) {
    const ms = await holder.grow("sessions", count);
    await sleep(restMs);
    const cost = await costOf({ manager }, () => sleep(seconds * 1000));
    points.push([count, cost.manager.memory.rssMb]);
    rows.push([
      String(count),
      count > open ? ((count - open) / ms * 1000).toFixed(0) : "",
      megabytes(cost.manager),
      percent(cost.manager),
    ]);
    open = count;
  }
  const slope = formatSlope("manager, each session", slopeOf(points));
  return [table(rows), slope].join("\n");
}

/** What it costs to tell every laptop that the cluster differs. */
async function measureChanges(
  cluster: BigCluster,
  { sessions }: SessionsOptions,
): Promise<string> {
  const pids = { manager: cluster.managerPid };
  const { manager } = await costOf(pids, async () => {
    for (let n = 0; n < changes; n++) {
      await cluster.change({ order: "add", kind: "namespaces", count: 1 });
      await sleep(changeMs);
    }
  });
  const each = manager.cpu / changes / sessions.at(-1)! * 1e6;
  return `a change of the cluster: ${each.toFixed(0)} us of CPU a session`;
}
