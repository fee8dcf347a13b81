import assert from "node:assert/strict";
import type { Cluster } from "../cluster/mod.ts";

/** Asks the API server to evict a pod, as a drain of its node does. Resolves when it is granted. */
export async function evict(
  { kubectl }: Cluster,
  { namespace, pod }: { namespace: string; pod: string },
): Promise<void> {
  const eviction = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name: pod, namespace },
  };
  const url = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
  const { code, stderr } = await kubectl(
    ["create", "--raw", url, "--filename", "-"],
    { stdin: JSON.stringify(eviction) },
  );
  assert.equal(code, 0, stderr);
}
