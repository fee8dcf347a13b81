/**
 * Where the grid is measured: laptops with equal links, of which one reaches the pod by plain routing and one a manager's
 * direct endpoint.
 */
import {
  type Cluster,
  Laptop,
  must,
  randomNodePort,
  run,
  setCongestionControl,
} from "../../tests/cluster/mod.ts";
import type { DirectEndpoint } from "../../manager/client.ts";
import { openWan, type Wan, type WanCounts } from "../../tests/support/wan.ts";
import {
  measureRoundTrips,
  type RoundTrips,
} from "../../tests/support/wan_measure.ts";
import { openServerPod, type ServerPod } from "../measure/server_pod.ts";
import { openDirect } from "../ways/direct.ts";
import type { Way } from "../ways/way.ts";
import type { Cell } from "./cell.ts";

/** No connection begins with what an earlier one learnt of another link. */
const forgetful = "net.ipv4.tcp_no_metrics_save=1";

/** Ports are many and soon free again. */
const sysctls = [
  "net.ipv4.ip_local_port_range=2048 65000",
  "net.ipv4.tcp_tw_reuse=1",
  forgetful,
];

/** Linux's own choice; whoever set this machine up may have made another. */
const congestionControl = "cubic";

/** What the link proved to be while a cell was measured. */
export interface MeasuredLink {
  readonly roundTrips: RoundTrips;
  /** Frames of the laptop's wan in the whole cell. */
  readonly counts?: WanCounts;
}

export class Place implements AsyncDisposable {
  readonly pod: ServerPod;
  /** Where `tp` and `kubectl` are. */
  readonly laptop: Laptop;
  /** Where the direct way is. */
  readonly other: Laptop;
  /** Where `tp` is that goes by a direct endpoint. */
  readonly third: Laptop;
  readonly #cluster: Cluster;
  readonly #stack: AsyncDisposableStack;
  readonly #wans: Wan[] = [];

  private constructor(
    { cluster, pod, laptops: [laptop, other, third], stack }: {
      cluster: Cluster;
      pod: ServerPod;
      laptops: [Laptop, Laptop, Laptop];
      stack: AsyncDisposableStack;
    },
  ) {
    this.pod = pod;
    this.laptop = laptop;
    this.other = other;
    this.third = third;
    this.#cluster = cluster;
    this.#stack = stack;
  }

  static async open(cluster: Cluster): Promise<Place> {
    await using stack = new AsyncDisposableStack();
    const pod = stack.use(await openServerPod(cluster));
    await settlePod(pod);
    const open = async () => {
      const laptop = stack.use(await Laptop.open(cluster));
      await must(laptop.command(["sysctl", "-qw", ...sysctls]));
      return laptop;
    };
    const laptops: [Laptop, Laptop, Laptop] = [
      await open(),
      await open(),
      await open(),
    ];
    stack.use(await laptops[2].openNodePorts());
    return new Place({ cluster, pod, laptops, stack: stack.move() });
  }

  /** Where a manager's direct endpoint can be, for the third laptop. */
  directEndpoint(): DirectEndpoint {
    const { host } = this.#cluster.apiServerAddress;
    return { host, port: randomNodePort() };
  }

  /** Makes the links what the cell says; no way is open. */
  async shape({ wan }: Cell): Promise<void> {
    if (wan !== undefined && this.#wans.length === 0) {
      for (const [i, laptop] of this.#laptops.entries()) {
        const wan = await openWan(laptop, { seed: i + 1 });
        this.#wans.push(this.#stack.use(wan));
      }
    }
    for (const each of this.#wans) await each.change(wan ?? {});
    for (const laptop of this.#laptops) {
      await laptop.useCongestionControl(congestionControl);
      await this.#forget(laptop);
    }
  }

  async openDirect(): Promise<Way> {
    const way = await openDirect(this.other, this.pod.ip);
    await this.other.useCongestionControl(congestionControl);
    return way;
  }

  /** Does the work of a cell, and tells what its link was like before and meanwhile. */
  async watch(
    { lossPercent }: Cell,
    work: () => Promise<void>,
  ): Promise<MeasuredLink> {
    const roundTrips = await measureRoundTrips(this.laptop, {
      address: this.#cluster.apiServerAddress.host,
      count: lossPercent > 0 ? 1000 : 100,
      everyMs: lossPercent > 0 ? 1 : 5,
    });
    const [wan] = this.#wans;
    const before = await wan?.counts();
    await work();
    const after = await wan?.counts();
    if (before === undefined || after === undefined) return { roundTrips };
    return { roundTrips, counts: difference(after, before) };
  }

  get #laptops(): readonly Laptop[] {
    return [this.laptop, this.other, this.third];
  }

  /** Of the wans. */
  get wanPids(): readonly number[] {
    return this.#wans.map(({ pid }) => pid);
  }

  /** The node's kernel keeps what it learnt of a laptop's link for the next connection. */
  async #forget({ clusterLink: { ipv4 } }: Laptop): Promise<void> {
    const { netns } = this.#cluster.nodes[0]!;
    await run(["ip", "-n", netns, "tcp_metrics", "delete", ipv4]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Has a pod that speaks with laptops itself do it as they do. */
export async function settlePod(
  { pids }: { pids: readonly number[] },
): Promise<void> {
  for (const pid of pids) {
    const enter = ["nsenter", "-t", `${pid}`, "-n"];
    await must([...enter, "sysctl", "-qw", forgetful]);
    await setCongestionControl(enter, "eth0", congestionControl);
  }
}

function difference(after: WanCounts, before: WanCounts): WanCounts {
  const ways = (["up", "down"] as const).map((way) => {
    const counts = Object.entries(after[way]).map((
      [name, count],
    ) => [name, count - before[way][name as keyof WanCounts["up"]]]);
    return [way, Object.fromEntries(counts)];
  });
  return Object.fromEntries(ways);
}
