/** The workloads that tests intercept, in a namespace of their own, and people who may intercept them. */
import {
  type Cluster,
  deployIntercepts,
  Laptop,
  openCluster,
} from "../cluster/mod.ts";
import { Colleague } from "./colleague.ts";
import { Tp } from "./laptop_tp.ts";
import { type ManagerPlace, managerPlace } from "./manager_place.ts";

export class EchoPlace implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly manager: ManagerPlace;
  readonly namespace: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<EchoPlace, "cluster" | "manager" | "namespace">,
    stack: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster;
    this.manager = parts.manager;
    this.namespace = parts.namespace;
    this.#stack = stack;
  }

  /** With a manager of its own. */
  static async open(): Promise<EchoPlace> {
    await using stack = new AsyncDisposableStack();
    const cluster = await openCluster();
    const manager = stack.use(await managerPlace(cluster));
    const { name: namespace } = stack.use(await cluster.namespace("echo"));
    await deployIntercepts(cluster, namespace);
    await using laptop = await Laptop.open(cluster);
    await new Tp(laptop).ok(["install", ...manager.flag]);
    return new EchoPlace({ cluster, manager, namespace }, stack.move());
  }

  /** Somebody with a laptop, connected, on which `app who` answers as `who`. */
  async join(who: string): Promise<Colleague> {
    const { cluster, manager, namespace } = this;
    return this.#stack.use(
      await Colleague.open(cluster, { manager, namespace, who }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
