import { join } from "node:path";
import { appBinary, run, waitFor } from "../../tests/cluster/mod.ts";
import type { BigCluster } from "../../tests/support/big_cluster/big_cluster.ts";
import { serviceAddress } from "../../tests/support/big_cluster/shape.ts";

/** Echo servers behind addresses of services: enough of them that ports towards one do not run out. */
export const echoServers = {
  port: 5003,
  addresses: Array.from({ length: 8 }, (_, n) => serviceAddress(n + 1)),
} as const;

/** Resolves when they listen. */
export async function startEchoServers(cluster: BigCluster): Promise<void> {
  cluster.start([join(await appBinary(), "app"), "bench"]);
  const probe = ["ss", "-Hlnt", `sport = ${echoServers.port}`];
  await waitFor("echo server", async () => {
    const { stdout } = await run(cluster.command(probe));
    return stdout !== "" || "nothing listens";
  });
}
