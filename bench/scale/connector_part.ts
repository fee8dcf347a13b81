/** What open streams cost a connector: connections of apps on a laptop, through the TUN device and the whole way. */
import { Laptop, must } from "../../tests/cluster/mod.ts";
import { BigCluster } from "../../tests/support/big_cluster/big_cluster.ts";
import { large, scaled } from "../../tests/support/big_cluster/shape.ts";
import { executable } from "../../tests/support/laptop_tp.ts";
import { echoServers, startEchoServers } from "./echo_servers.ts";
import { findProcesses } from "./laptop_processes.ts";
import { RemoteHolder } from "./remote_holder.ts";
import { measureStreams, type StreamsOptions } from "./streams_table.ts";

export async function measureConnector(
  options: StreamsOptions,
): Promise<string> {
  await using cluster = await BigCluster.open(scaled(large, 0.1));
  await startEchoServers(cluster);
  await using laptop = await Laptop.open(cluster.ofLaptop);
  const range = "net.ipv4.ip_local_port_range=2048 65000";
  await must(laptop.command(["sysctl", "-qw", range]));
  await must(laptop.command([executable, "connect"]));
  const io = { stdin: "piped", stdout: "piped" } as const;
  await using holder = await RemoteHolder.of(
    laptop.spawn(RemoteHolder.command("socket_holder.ts", echoServers), io),
  );
  const { connector } = await findProcesses(laptop);
  const pids = { connector, manager: cluster.managerPid };
  const text = await measureStreams(holder, pids, options);
  await must(laptop.command([executable, "quit"]));
  return text;
}
