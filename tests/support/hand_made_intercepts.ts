/** Intercept objects as `kubectl` makes them, without what `tp` does around them. */
import assert from "node:assert/strict";
import type {
  Intercept,
  InterceptSpec,
  WorkloadRef,
} from "../../manager/api.ts";
import { type Cluster, waitFor } from "../cluster/mod.ts";
import type { ManagerPlace } from "./manager_place.ts";

const owner = "test:alice";
export const http = { port: 8080, protocol: "TCP" } as const;

/** Looks at one namespace as an administrator does. */
export class InterceptedNamespace {
  readonly #cluster: Cluster;
  readonly #name: string;
  readonly #manager: string;
  /** Of a laptop that is connected. */
  readonly #session: string;

  constructor(
    cluster: Cluster,
    { name, manager, session }: {
      name: string;
      manager: string;
      session: string;
    },
  ) {
    this.#cluster = cluster;
    this.#name = name;
    this.#manager = manager;
    this.#session = session;
  }

  async kubectl(args: string[], stdin?: string): Promise<string> {
    const options = stdin === undefined ? {} : { stdin };
    const all = ["--namespace", this.#name, ...args];
    const { code, stdout, stderr } = await this.#cluster.kubectl(all, options);
    assert.equal(code, 0, `kubectl ${all.join(" ")}\n${stderr}`);
    return stdout;
  }

  async json<T>(...what: string[]): Promise<T> {
    return JSON.parse(await this.kubectl(["get", ...what, "--output=json"]));
  }

  async intercept(
    name: string,
    workload: WorkloadRef,
    more: Partial<InterceptSpec> = {},
  ): Promise<void> {
    const spec: InterceptSpec = {
      ...{ name, owner, client: "alice@laptop", workload },
      ...{ manager: this.#manager, session: this.#session },
      ...{ mode: "intercept", container: "echo", ports: [http] },
      ...more,
    };
    const metadata = { name };
    const object = {
      apiVersion: "tp.dev/v1",
      kind: "Intercept",
      metadata,
      spec,
    };
    const as = ["--as", owner, "--as-group", "system:masters"];
    await this.kubectl(["create", ...as, "-f", "-"], JSON.stringify(object));
  }

  /** Resolves to the intercept and how long it took, in ms. */
  async phase(
    name: string,
    phase: string,
    timeoutMs = 90_000,
  ): Promise<{ status: NonNullable<Intercept["status"]>; ms: number }> {
    const began = performance.now();
    await waitFor(`phase ${phase} of ${name}`, async () => {
      const { status } = await this.json<Intercept>("intercept", name);
      return status?.phase === phase || JSON.stringify(status);
    }, { timeoutMs });
    const { status } = await this.json<Intercept>("intercept", name);
    return { status: status!, ms: performance.now() - began };
  }

  /** Names of the containers of each pod of the app. */
  async containers(app: string): Promise<string[][]> {
    const { items } = await this.json<{
      items: {
        metadata: { deletionTimestamp?: string };
        spec: {
          containers: { name: string }[];
          initContainers?: { name: string }[];
        };
      }[];
    }>("pods", `--selector=app=${app}`);
    return items.filter(({ metadata }) => !metadata.deletionTimestamp)
      .map(({ spec }) =>
        [...spec.initContainers ?? [], ...spec.containers].map((one) =>
          one.name
        )
      );
  }

  /** The ReplicaSet that has the Deployment's pods. */
  async replicaSet(app: string): Promise<string> {
    return (await this.kubectl([
      ...["get", "replicasets", `--selector=app=${app}`],
      "--output=jsonpath={.items[?(@.spec.replicas>0)].metadata.name}",
    ])).trim();
  }
}

/** The thumbprint of the laptop that is connected, as the manager logs it. */
export async function sessionOf(
  cluster: Cluster,
  { namespace }: ManagerPlace,
): Promise<string> {
  const { stdout } = await cluster.kubectl([
    ...["logs", "--selector=app.kubernetes.io/name=traffic-manager"],
    ...["--tail=-1", "--namespace", namespace],
  ]);
  const line = stdout.split("\n").findLast((one) =>
    one.includes('"session begins"')
  );
  return JSON.parse(line!).thumbprint;
}
