/** A cluster in which no manager is left, and nothing that managers share. */
import { type Cluster, waitFor } from "../cluster/mod.ts";
import { clusterObjects } from "./cluster_objects.ts";
import type { Tp } from "./laptop_tp.ts";

/** Their pods have time to go. */
const namespacesMs = 60_000;

/**
 * Uninstalls every manager: those of other tests, too, since all share kinds and roles that go with the last.
 *
 * @returns the cluster's objects, as {@link clusterObjects} tells them
 */
export async function withoutTp(cluster: Cluster, tp: Tp): Promise<string[]> {
  const { stdout } = await cluster.kubectl([
    ...["get", "mutatingwebhookconfigurations", "--output=name"],
    "--selector=app.kubernetes.io/part-of=tp",
  ]);
  const namespaces = stdout.split("\n").filter(Boolean)
    .map((name) => name.replace(/^.*traffic-manager-/, ""));
  for (const namespace of new Set([...namespaces, "ambassador"])) {
    const flag = ["--manager-namespace", namespace];
    await tp.ok(["uninstall", "--everything", ...flag]);
  }
  // Namespaces of former tests go in the background.
  await waitFor("end of namespaces", async () => {
    const { stdout } = await cluster.kubectl([
      ...["get", "namespaces", "--output"],
      'jsonpath={.items[?(@.status.phase!="Active")].metadata.name}',
    ]);
    return stdout === "" || stdout;
  }, { timeoutMs: namespacesMs });
  let objects: string[] = [];
  // The API server takes the group itself off a moment later.
  await waitFor("cluster without tp", async () => {
    objects = await clusterObjects(cluster);
    return objects.find((line) => /tp\.dev/.test(line)) ?? true;
  });
  return objects;
}

/** Resolves when the API server has taken off the group itself. */
export async function groupEnded({ kubectl }: Cluster): Promise<void> {
  await waitFor("end of the API group", async () => {
    const { stdout } = await kubectl(["get", "apiservices"]);
    return !stdout.includes("v1.tp.dev") || stdout;
  });
}
