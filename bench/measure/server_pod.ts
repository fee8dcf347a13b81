/** The pod with the servers of the benchmarks (tests/app/bench.go): of this run's own, like its manager. */
import { type Cluster, deployBench } from "../../tests/cluster/mod.ts";
import { containerPids } from "./processes.ts";

/** There until disposed of. */
export interface ServerPod extends AsyncDisposable {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  readonly pids: readonly number[];
}

export async function openServerPod(cluster: Cluster): Promise<ServerPod> {
  await using building = new AsyncDisposableStack();
  const { name: namespace } = building.use(await cluster.namespace("bench"));
  await deployBench(cluster, namespace);
  const selector = "app=bench";
  const path = "{.items[0].metadata.name} {.items[0].status.podIP}";
  const { stdout } = await cluster.kubectl(
    ["-n", namespace, "get", "pods", "-l", selector, "-o", `jsonpath=${path}`],
  );
  const [name = "", ip = ""] = stdout.split(" ");
  const pids = await containerPids(cluster, { namespace, selector });
  const stack = building.move();
  return {
    namespace,
    name,
    ip,
    pids,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
