import { type Cluster, Laptop, must, say, sleep } from "../cluster/mod.ts";
import { type Fault, Faults } from "../support/faults.ts";
import { footprint } from "../support/footprint.ts";
import { adminAccess, writeAccess } from "../support/kubeconfig_file.ts";
import { type LaptopScript, startScript } from "../support/laptop_script.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { Survivors } from "../support/survivors.ts";
import { type FaultKind, type Plan, plans } from "./plan.ts";
import type { Connections, Tally } from "./tally.ts";

const mebibyte = 1024 ** 2;
/** Of each transfer: another begins when one has ended. */
const bytes = 256 * mebibyte;
const rate = 6 * mebibyte;
/** New connections after each fault, at once. */
const connections = 100;

/**
 * Between two restarts of the API server. A node that cannot say for 40 s that it is there is taken for lost, and with it
 * the endpoints of every service: not a matter of the way there.
 */
const restartMs = 60_000;

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly transfers: number;
  /** Of the manager. */
  readonly image: string;
}

/** Runs until the time is up or something was lost, which `tally` tells. */
export async function soak(
  cluster: Cluster,
  options: SoakOptions & { readonly tally: Tally },
): Promise<void> {
  const { tally, image, transfers } = options;
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await using proxy = startScript(laptop, "connect_proxy.ts");
  const port = Number(await proxy.nextLine());
  const access = await adminAccess(cluster);
  const kubeconfig = await writeAccess(laptop, {
    ...access,
    cluster: { ...access.cluster, "proxy-url": `http://127.0.0.1:${port}` },
  });
  const tp = new Tp(laptop);
  await tp.ok(
    ["connect", "--kubeconfig", kubeconfig, "--image", image, ...place.flag],
    { env: { TP_CARRIER_SECONDS: "30" } },
  );
  const { connector } = await ownProcesses(laptop);
  tally.connections(await connect(laptop));
  const before = await footprint(connector);
  const server = { apiServerAddress: { host: "127.0.0.1", port } };
  {
    const ways = Array.from(
      { length: transfers },
      (_, i) => i % 2 === 0 ? "down" as const : "up" as const,
    );
    await using survivors = await Survivors.start(
      { laptop, tp },
      { bytes, rate, ways },
    );
    await using faults = new Faults({ cluster, laptop, connector, server });
    const scene = { laptop, faults, proxy, survivors, connector };
    await rounds(scene, options).catch((error) => tally.failure(error.message));
    if (!tally.hasFailed) {
      await survivors.finish().catch((error) => tally.failure(error.message));
    }
    tally.checkedBytes = survivors.checkedBytes;
    if (tally.hasFailed) await tellState(scene, tp);
  }
  tally.descriptors(before, await footprint(connector));
  tally.judgeMemory();
  await tp.ok(["quit"]);
}

interface Scene {
  readonly laptop: Laptop;
  readonly faults: Faults;
  readonly proxy: LaptopScript;
  readonly survivors: Survivors;
  /** Its pid. */
  readonly connector: number;
}

async function rounds(
  scene: Scene,
  { minutes, seed, tally }: SoakOptions & { readonly tally: Tally },
): Promise<void> {
  const { laptop, faults, survivors } = scene;
  const startMs = performance.now();
  let restartedMs = -Infinity;
  for (const plan of plans(seed)) {
    const nowMs = performance.now();
    const minutesDone = (nowMs - startMs) / 60_000;
    if (minutesDone >= minutes || tally.hasFailed) return;
    await sleep(plan.calmMs);
    await survivors.renew();
    let { kind } = plan;
    // That one is made on the usual link.
    if (kind === "black hole" && faults.isAway) kind = "roam";
    if (kind === "restart") {
      if (nowMs - restartedMs < restartMs) kind = "reset";
      else restartedMs = nowMs;
    }
    const fault = faultOf(kind, plan, scene);
    say(`soak: ${minutesDone.toFixed(1)} min: ${fault.name}`);
    tally.fault(kind, await survivors.endure(fault), fault.withinMs);
    tally.connections(await connect(laptop));
    tally.footprint(await footprint(scene.connector));
  }
}

function faultOf(
  kind: FaultKind,
  { seconds }: Plan,
  { faults, proxy }: Scene,
): Fault {
  switch (kind) {
    case "reset":
      return faults.reset();
    case "end":
      return faults.end(proxy);
    case "restart":
      return faults.restart();
    case "roam":
      return faults.roam();
    case "stop":
      return faults.stop(seconds);
    case "black hole":
      return faults.blackHole(seconds);
    case "one black hole":
      return faults.oneBlackHole();
  }
}

/** What helps to find out why. */
async function tellState({ laptop }: Scene, tp: Tp): Promise<void> {
  const look = "tail -n 30 ~/.cache/tp/connector.log; ip route; " +
    "cat /etc/resolv.conf; getent hosts bench.default; " +
    "kubectl get nodes,endpointslices --all-namespaces";
  const { stdout: status } = await tp.run(["status"]);
  const { stdout } = await laptop.run(["sh", "-c", look]);
  say(status + stdout);
}

async function connect(laptop: Laptop): Promise<Connections> {
  const path = new URL("../support/many_connections.ts", import.meta.url);
  const answer = await must(laptop.command([
    ...[Deno.execPath(), "run", "-A", "--no-config", path.pathname],
    ...["bench.default", "5003", String(connections)],
  ]));
  return JSON.parse(answer);
}
