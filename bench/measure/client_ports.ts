import { type Laptop, must } from "../../tests/cluster/mod.ts";

/** Ports are many and soon free again: what is measured is not how long they rest. */
export async function openClientPorts(laptop: Laptop): Promise<void> {
  await must(laptop.command([
    ...["sysctl", "-qw", "net.ipv4.ip_local_port_range=2048 65000"],
    "net.ipv4.tcp_tw_reuse=1",
  ]));
}
