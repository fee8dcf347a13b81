/** A laptop that is connected, in a namespace of its own, whose workloads are watched. */
import { type Cluster, Laptop, openCluster } from "../cluster/mod.ts";
import { Tp } from "./laptop_tp.ts";
import { type ManagerPlace, managerPlace } from "./manager_place.ts";
import { WorkloadWatch } from "./workload_watch.ts";

/** The flags of `tp intercept` for the workloads of `small_workloads.ts`. */
export const port = ["--port", "8080:http", "--mount=false"];

export interface Place {
  readonly cluster: Cluster;
  readonly laptop: Laptop;
  readonly tp: Tp;
  readonly manager: ManagerPlace;
  readonly namespace: string;
  readonly watch: WorkloadWatch;
}

/** Of which all is undone with `moved`. */
export async function openPlace() {
  await using building = new AsyncDisposableStack();
  const cluster = await openCluster();
  const laptop = building.use(await Laptop.open(cluster));
  const manager = building.use(await managerPlace(cluster));
  const { name: namespace } = building.use(await cluster.namespace("shop"));
  const tp = new Tp(laptop);
  building.use(
    await tp.connected([...manager.flag, "--namespace", namespace]),
  );
  const watch = new WorkloadWatch(cluster, namespace);
  const parts: Place = { cluster, laptop, tp, manager, namespace, watch };
  return { ...parts, moved: building.move() };
}

/** What a fault gives back: its end. */
export function undo(work: () => Promise<unknown>): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => work().then(() => {}) };
}
