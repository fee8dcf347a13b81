/** A cluster in memory with copies of a manager, as far as the way to them is concerned. */
import type { ApiClient, Pod, PortForwardOptions, Ref } from "../../k8s/mod.ts";
import {
  decodeTarget,
  formatWorld,
  managerPod,
  type World,
} from "../../manager/api.ts";
import {
  type Conn,
  connPair,
  Ip,
  RefusedError,
  writeAll,
} from "../../net/mod.ts";
import { Acceptor, type Incoming } from "../../tunnel/mod.ts";

export const world: World = {
  clusterDomain: "cluster.local",
  namespaces: ["default"],
  serviceSubnets: [],
  podSubnets: [],
  nameserver: Ip.parse("10.96.0.10"),
  version: "0.1.0",
};

/** One copy: it accepts every stream to an address, and holds it. */
export class FakeManager {
  readonly life = crypto.randomUUID();
  isReady = true;
  /** One of a release that tells of all namespaces and of no single ones. */
  isOld = false;
  /** What it holds. */
  readonly streams: Conn[] = [];
  readonly #worlds: Conn[] = [];
  readonly #carriers: Conn[] = [];
  #isLeaving = false;
  readonly #acceptor = new Acceptor({
    product: "tp/0.1.0",
    onSession: () => (incoming) => this.#serve(incoming),
  });

  /** A carrier to it. */
  connect(): Conn {
    const [near, far] = connPair();
    this.#carriers.push(far);
    this.#acceptor.take(far).catch(() => {});
    return near;
  }

  /** As one that is told to: views of the cluster end, streams go on, no more are taken. */
  leave(): void {
    this.refuse();
    for (const stream of this.#worlds) stream.close();
  }

  /** Takes no more streams, and says so to each. */
  refuse(): void {
    this.#isLeaving = true;
    this.isReady = false;
  }

  /** Its process is gone. */
  die(): void {
    this.isReady = false;
    for (const one of this.#carriers) one.reset();
  }

  async close(): Promise<void> {
    await this.#acceptor.close();
  }

  #serve(incoming: Incoming): void {
    const target = decodeTarget(incoming.target);
    if (target?.kind === "world" && target.namespaces && this.isOld) {
      incoming.refuse("unknown-target", "a test");
    } else if (target?.kind === "world") {
      const stream = incoming.accept();
      this.#worlds.push(stream);
      const line = new TextEncoder().encode(`${formatWorld(world)}\n`);
      writeAll(stream, line).catch(() => {});
    } else if (target?.kind === "direct") {
      incoming.refuse("unknown-target", "a test");
    } else if (this.#isLeaving) incoming.refuse("gone", "a test");
    else this.streams.push(incoming.accept());
  }
}

export class FakeCluster {
  /** By the number of the copy; absent: there is no pod. */
  readonly managers: (FakeManager | undefined)[];

  constructor(...managers: FakeManager[]) {
    this.managers = managers;
  }

  get api(): ApiClient {
    return {
      find: ({ plural }: { plural: string }, { name }: Ref) =>
        Promise.resolve(
          plural === "pods"
            ? this.#pod(name)
            : { spec: { replicas: this.managers.length } },
        ),
      portForward: ({ pod }: PortForwardOptions) => {
        const manager = this.#manager(pod);
        if (manager?.isReady) return Promise.resolve(manager.connect());
        const detail = "Nobody listens";
        return Promise.reject(new RefusedError("refused", detail));
      },
    } as unknown as ApiClient;
  }

  #manager(pod: string): FakeManager | undefined {
    return this.managers.find((_, i) => managerPod(i) === pod);
  }

  #pod(name: string): Pod | undefined {
    const manager = this.#manager(name);
    if (manager === undefined) return undefined;
    const status = manager.isReady ? "True" : "False";
    return {
      metadata: { name, uid: manager.life },
      status: { conditions: [{ type: "Ready", status }] },
    };
  }
}
