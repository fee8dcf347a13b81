/** How `tp connect`, the connector and the manager bear the size of a cluster. */
import { Laptop, must, sleep } from "../../tests/cluster/mod.ts";
import { BigCluster } from "../../tests/support/big_cluster/big_cluster.ts";
import {
  large,
  scaled,
  type Shape,
} from "../../tests/support/big_cluster/shape.ts";
import { executable } from "../../tests/support/laptop_tp.ts";
import { spread } from "../measure/ratio.ts";
import { table } from "../measure/table.ts";
import { findProcesses } from "./laptop_processes.ts";
import { sampleCpu } from "../measure/usage.ts";
import { costOf, megabytes } from "./process_cost.ts";
import { slopeOf } from "./slope.ts";

const connects = 5;
/** Status updates that the manager is told of, and how long it gets for them. */
const updates = 2_000;
const updateMs = 3_000;

interface Figures {
  readonly shape: Shape;
  readonly readyMs: number;
  /** Of the manager, until it was ready. */
  readonly startCpu: number;
  readonly readBytes: number;
  readonly managerMb: number;
  readonly connectMs: number;
  readonly connectRequests: number;
  /** From the manager to the laptop while connecting. */
  readonly toldBytes: number;
  readonly routes: number;
  readonly connectorMb: string;
  /** CPU of the manager for a thousand status updates, of nodes or of pods. */
  readonly updatesCpu: number;
}

export async function measureCluster(): Promise<string> {
  const shapes = [
    ...[0.1, 0.5, 1].map((part) => scaled(large, part)),
    { ...large, nodesTellPods: false },
  ];
  const all: Figures[] = [];
  for (const shape of shapes) all.push(await measure(shape));
  const head = ["namespaces", "services", "pods", "nodes", "pods' subnets of"]
    .concat("ready ms", "CPU s", "read MB", "manager MB", "connect ms")
    .concat("requests", "told kB", "routes", "connector MB", "CPU s/1000 upd.");
  const rows = all.map((one) => [
    String(one.shape.namespaces),
    String(one.shape.services),
    String(one.shape.pods),
    String(one.shape.nodes),
    one.shape.nodesTellPods ? "nodes" : "pods",
    one.readyMs.toFixed(0),
    one.startCpu.toFixed(2),
    (one.readBytes / 1e6).toFixed(1),
    one.managerMb.toFixed(0),
    one.connectMs.toFixed(0),
    String(one.connectRequests),
    (one.toldBytes / 1e3).toFixed(1),
    String(one.routes),
    one.connectorMb,
    one.updatesCpu.toFixed(3),
  ]);
  const told = slopeOf(
    all.slice(0, 3).map((
      { shape, toldBytes },
    ) => [shape.namespaces, toldBytes]),
  );
  return [
    table([head, ...rows]),
    `told to a laptop for each namespace: ${told.each.toFixed(1)} bytes`,
  ].join("\n");
}

async function measure(shape: Shape): Promise<Figures> {
  await using cluster = await BigCluster.open(shape);
  const manager = cluster.managerPid;
  const start = (await costOf({ manager }, () => Promise.resolve())).manager;
  const startCpu = await cpuSoFar(manager);
  const { asked: byManager } = await cluster.counts();
  await using laptop = await Laptop.open(cluster.ofLaptop);
  const times: number[] = [];
  let last:
    | Pick<
      Figures,
      "connectRequests" | "toldBytes" | "routes" | "connectorMb"
    >
    | undefined;
  for (let n = 0; n < connects; n++) {
    await cluster.counts();
    const startMs = performance.now();
    await must(laptop.command([executable, "connect"]));
    times.push(performance.now() - startMs);
    const { asked, forwarded } = await cluster.counts();
    const { connector } = await findProcesses(laptop);
    const cost = await costOf({ connector }, () => sleep(500));
    const status = JSON.parse(
      await must(laptop.command([executable, "status", "--output", "json"])),
    );
    last = {
      connectRequests: Object.values(asked)[0]!.requests,
      toldBytes: forwarded.down,
      routes: status.root_daemon.subnets.length,
      connectorMb: megabytes(cost.connector),
    };
    await must(laptop.command([executable, "quit"]));
  }
  const kind = shape.nodesTellPods ? "nodes" : "pods";
  const { manager: after } = await costOf({ manager }, async () => {
    await cluster.change({ order: "touch", kind, count: updates });
    await sleep(updateMs);
  });
  return {
    ...{ shape, readyMs: cluster.readyMs, startCpu },
    readBytes: Object.values(byManager)[0]!.bytes,
    managerMb: start.memory.peakRssMb,
    connectMs: spread(times)!.median,
    ...last!,
    updatesCpu: after.cpu / updates * 1000,
  };
}

/** CPU seconds of a process since it began. */
async function cpuSoFar(pid: number): Promise<number> {
  const { groups } = await sampleCpu(new Map([["it", [pid]]]));
  return groups.get("it") ?? 0;
}
