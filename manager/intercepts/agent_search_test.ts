import assert from "node:assert/strict";
import type { Pod } from "../../k8s/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { type Agent, revisionAnnotation } from "../agent_object.ts";
import { AgentSearch } from "./agent_search.ts";
import type { ClusterApi } from "./cluster_api.ts";

const agent: Agent = {
  metadata: { namespace: "shop", name: "statefulset-web" },
  spec: {
    manager: "ambassador",
    workload: {
      ...{ apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "1" },
    },
    ...{ ports: [], replaced: [], users: {} },
  },
};

function open() {
  const clock = new FakeClock();
  const asked: string[] = [];
  const find = (_resource: unknown, { namespace = "", name }: {
    namespace?: string;
    name: string;
  }) => {
    asked.push(`${namespace}/${name}`);
    const isThere = asked.at(-1) === "shop/statefulset-web";
    return Promise.resolve(isThere ? agent : undefined);
  };
  const api = { find } as unknown as Pick<ClusterApi, "find">;
  const search = new AgentSearch(api, { manager: "ambassador", clock });
  return { clock, asked, search };
}

function podOf(
  { kind = "StatefulSet", name = "web", revision = "1" as string | undefined },
): Pod {
  return {
    metadata: {
      ...revision ? { annotations: { [revisionAnnotation]: revision } } : {},
      ownerReferences: [
        { apiVersion: "apps/v1", kind, name, uid: "1", controller: true },
      ],
    },
  };
}

const shop = { namespace: "shop", from: "10.0.0.1" };

Deno.test("AgentSearch finds the Agent object of a pod whose template says that there is one", async () => {
  const { search, asked } = open();
  assert.equal(await search.find(podOf({}), shop), agent);
  const other = { ...shop, namespace: "other" };
  assert.equal(await search.find(podOf({}), other), undefined);
  assert.deepEqual(asked, ["shop/statefulset-web", "other/statefulset-web"]);
});

const nothing: Record<string, Pod> = {
  "no annotation": podOf({ revision: "" }),
  "a kind that has no agents": podOf({ kind: "../../secrets" }),
  "a name that is none": podOf({ name: "../../../api/v1/secrets" }),
  "a long name": podOf({ name: "a".repeat(300) }),
};
for (const [what, pod] of Object.entries(nothing)) {
  Deno.test(`AgentSearch asks nothing for a pod with ${what}`, async () => {
    const { search, asked } = open();
    assert.equal(await search.find(pod, shop), undefined);
    assert.deepEqual(asked, []);
  });
}

Deno.test("AgentSearch asks 64 times for an address, then once a second; for another at once", async () => {
  const { search, asked, clock } = open();
  for (let i = 0; i < 100; i++) await search.find(podOf({}), shop);
  assert.equal(asked.length, 64);
  const elsewhere = { ...shop, from: "10.0.0.2" };
  assert.equal(await search.find(podOf({}), elsewhere), agent);
  clock.advance(1_000);
  for (let i = 0; i < 100; i++) await search.find(podOf({}), shop);
  assert.equal(asked.length, 66);
});
