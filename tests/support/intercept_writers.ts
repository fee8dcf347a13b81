/** Intercepts as users write them with `kubectl`, and what the API server says of each. No manager runs. */
import { dirname } from "node:path";
import { version } from "../../build.ts";
import { loadAccess, openApi } from "../../k8s/mod.ts";
import type { InterceptSpec } from "../../manager/api.ts";
import {
  managerManifests,
  type ManifestOptions,
} from "../../manager/client.ts";
import { type Cluster, waitFor } from "../cluster/mod.ts";

const session = "5e".repeat(32);

/** What somebody wants of a Deployment "web". */
export function specOf(owner: string, more: Partial<InterceptSpec> = {}) {
  return {
    ...{ name: "web", owner, session, client: `${owner}@laptop` },
    workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    ...{ manager: "ambassador", mode: "intercept", container: "app" },
    ports: [{ port: 8080, protocol: "TCP", service: "web" }],
    ...more,
  };
}

/** All that comes with a manager, but no copy of it. */
export async function applyManifests(
  cluster: Cluster,
  options: Omit<ManifestOptions, "image" | "version">,
): Promise<void> {
  const manifests = managerManifests({
    ...{ image: "registry.invalid/tp", version, replicas: 0 },
    ...options,
  });
  const access = await loadAccess({
    kubeconfig: cluster.kubeconfigPath,
    env: { PATH: `${dirname(cluster.kubectlPath)}:/usr/bin:/bin` },
  });
  await using api = openApi(access);
  for (const manifest of manifests) {
    await api.apply(manifest, { force: true, fieldManager: "tp" });
  }
}

/** Acts as other users do, or as the administrator, whose groups `--as` would take away. */
export class Somebody {
  readonly #cluster: Cluster;
  readonly #as: string[];
  readonly #namespace: string;

  constructor(cluster: Cluster, namespace: string, name?: string) {
    this.#cluster = cluster;
    this.#as = name === undefined ? [] : ["--as", name];
    this.#namespace = namespace;
  }

  /** What is said of a command that fails; empty when it does not. */
  async kubectl(args: string[], stdin?: string): Promise<string> {
    const as = [...this.#as, "--namespace", this.#namespace];
    const options = stdin === undefined ? {} : { stdin };
    const { code, stderr } = await this.#cluster.kubectl(
      [...as, ...args],
      options,
    );
    return code === 0 ? "" : stderr;
  }

  create(name: string, spec: unknown, flags: string[] = []): Promise<string> {
    const object = {
      ...{ apiVersion: "tp.dev/v1", kind: "Intercept", metadata: { name } },
      spec,
    };
    const create = ["create", "-f", "-", ...flags];
    return this.kubectl(create, JSON.stringify(object));
  }

  /** A policy is followed a moment after it was made. */
  async denied(spec: unknown): Promise<void> {
    await waitFor("policy", async () => {
      const told = await this.create("early", spec, ["--dry-run=server"]);
      return /denied request/.test(told) || `not denied ${told}`;
    }, { timeoutMs: 20_000 });
  }

  delete(name: string): Promise<string> {
    return this.kubectl(["delete", "intercept", name, "--wait=false"]);
  }
}
