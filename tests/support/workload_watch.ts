/** A namespace whose workloads are looked at before and after somebody tried to intercept them. */
import assert from "node:assert/strict";
import { type Cluster, sleep, waitFor } from "../cluster/mod.ts";

interface SeenPod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: Record<
    "containers" | "initContainers",
    { readonly name: string }[] | undefined
  >;
  readonly status: {
    readonly conditions?: { readonly type: string; readonly status: string }[];
  };
}

/** For as long it is watched that no pods come and go any more. */
const quietMs = 3_000;

export class WorkloadWatch {
  readonly #cluster: Cluster;
  readonly #namespace: string;

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  async kubectl(args: string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await this.#cluster.kubectl(
      ["--namespace", this.#namespace, ...args],
      stdin === undefined ? {} : { stdin },
    );
    assert.equal(code, 0, `kubectl ${args.join(" ")}\n${stderr}`);
    return stdout;
  }

  async names(...kinds: string[]): Promise<string[]> {
    const out = await this.kubectl(["get", kinds.join(), "--output=name"]);
    return out.split("\n").filter(Boolean);
  }

  /** The pods of an app that stay. */
  async pods(app: string): Promise<SeenPod[]> {
    const out = await this.kubectl([
      ...["get", "pods", `--selector=app=${app}`, "--output=json"],
    ]);
    const { items }: { items: SeenPod[] } = JSON.parse(out);
    return items.filter(({ metadata }) => !metadata.deletionTimestamp);
  }

  /** What the Deployment wants of its pods. */
  async template(name: string): Promise<string> {
    return await this.kubectl([
      ...["get", "deployment", name, "--output=jsonpath={.spec.template}"],
    ]);
  }

  /** Resolves when no object of ours is left, and the Deployment has its pods of before and no others, for good. */
  async isAsBefore(
    app: string,
    { template, pods }: { template: string; pods: readonly SeenPod[] },
  ): Promise<void> {
    const uids = (pods: readonly SeenPod[]) =>
      pods.map(({ metadata }) => metadata.uid).sort();
    const expected = uids(pods);
    const look = async () => {
      const left = await this.names("intercepts", "agents");
      if (left.length > 0) return left.join();
      const found = await this.pods(app);
      if (JSON.stringify(uids(found)) === JSON.stringify(expected)) return true;
      return found.map(({ metadata }) => metadata.name).join();
    };
    await waitFor(`state of before of ${app}`, look, { timeoutMs: 30_000 });
    assert.equal(await this.template(app), template);
    await sleep(quietMs);
    assert.equal(await look(), true);
    assert.equal(await this.template(app), template);
  }
}

export function isReady({ status }: SeenPod): boolean {
  return status.conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  ) ?? false;
}

export function hasAgent({ spec }: SeenPod): boolean {
  const all = [...spec.initContainers ?? [], ...spec.containers ?? []];
  return all.some(({ name }) => name === "traffic-agent");
}
