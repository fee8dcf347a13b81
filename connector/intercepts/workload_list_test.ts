import assert from "node:assert/strict";
import type { ApiClient, Resource } from "../../k8s/mod.ts";
import { FakeCluster, refusal, service, workload } from "./cluster_fake.ts";
import type { NamespaceObjects } from "./workload_infos.ts";
import { followNamespace } from "./workload_list.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A cluster with a workload and a Service; the watch of `plural` begins, or goes on after all is told, when it is let. */
function place(
  plural: string,
  allowed: { begin?: Promise<void>; goOn?: Promise<void> },
) {
  const cluster = new FakeCluster();
  cluster.put("deployments", workload("web"));
  cluster.put("services", service("web"));
  const { api } = cluster;
  const slow = {
    ...api,
    async *watch(resource: Resource, options: { signal: AbortSignal }) {
      const isSlow = resource.plural === plural;
      if (isSlow) await allowed.begin;
      for await (const event of api.watch(resource, options)) {
        yield event;
        if (isSlow && event.type === "SYNCED") await allowed.goOn;
      }
    },
  } as unknown as ApiClient;
  return { cluster, api: slow };
}

Deno.test("followNamespace() tells no list of which a part is not known yet", async () => {
  const begin = Promise.withResolvers<void>();
  const { api } = place("deployments", { begin: begin.promise });
  const abort = new AbortController();
  const changes = followNamespace(api, {
    ...{ namespace: "orders", signal: abort.signal },
  });
  await changes.next();
  const second = changes.next();
  await pause(300);
  begin.resolve();
  const value: NamespaceObjects = (await second).value;
  assert.deepEqual(
    value.workloads.map(({ workload }) => workload.metadata.name),
    ["web"],
  );
  assert.equal(value.services.length, 1);
  const last = changes.next();
  abort.abort();
  assert.equal((await last).done, true);
});

Deno.test("followNamespace() takes for empty what may not be read any more", async () => {
  const goOn = Promise.withResolvers<void>();
  const { api } = place("services", { goOn: goOn.promise });
  const abort = new AbortController();
  const changes = followNamespace(api, {
    ...{ namespace: "orders", signal: abort.signal },
  });
  const counts: number[] = [];
  for (let i = 0; i < 3; i++) {
    const value: NamespaceObjects = (await changes.next()).value;
    assert.equal(value.workloads.length, 1);
    counts.push(value.services.length);
    if (i === 1) goOn.reject(refusal(403, "Forbidden", { plural: "services" }));
  }
  assert.deepEqual(counts, [1, 1, 0]);
  abort.abort();
  await changes.next();
});
