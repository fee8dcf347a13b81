import assert from "node:assert/strict";
import { FakeApiServer, status } from "../../k8s/_api_server_fake.ts";
import { gatherClusterLogs } from "./cluster_logs.ts";

function pod(name: string, namespace: string, container: string, restarts = 0) {
  return {
    metadata: {
      ...{ name, namespace, ownerReferences: [{ name: "web-7d4b9" }] },
    },
    spec: { nodeName: "n1", containers: [{ name: container }] },
    status: {
      containerStatuses: [
        { name: container, ready: true, restartCount: restarts },
      ],
    },
  };
}

async function kubeconfigOf(server: FakeApiServer): Promise<string> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      ...{ "current-context": "c" },
      clusters: [{
        name: "k",
        cluster: { server: server.url.href, "insecure-skip-tls-verify": true },
      }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: [{
        name: "c",
        context: { cluster: "k", user: "u", namespace: "orders" },
      }],
    }),
  );
  return path;
}

Deno.test("gatherClusterLogs() reads what this user may, and tells the rest", async () => {
  const denied = status(403, "Forbidden", "not you");
  await using server = FakeApiServer.start(({ path, query }) => {
    const agents = [
      pod("web-7d4b9-x", "orders", "traffic-agent", 1),
      pod("cart-1", "orders", "traffic-agent"),
    ];
    const log = /\/pods\/([^/]+)\/log$/.exec(path)?.[1];
    if (log === "web-7d4b9-x") {
      return query.get("previous") === "true" ? denied : { body: "agent's\n" };
    }
    if (log !== undefined) return { body: `${log}'s\n` };
    if (path === "/api/v1/namespaces/orders/pods") {
      return { body: { metadata: {}, items: agents } };
    }
    return denied;
  });
  const kubeconfig = await kubeconfigOf(server);
  try {
    const { files, problems, names } = await gatherClusterLogs({
      cluster: { kubeconfig, managerNamespace: "ambassador", image: "" },
      ...{
        manager: true,
        agents: (name) => name.startsWith("web"),
        pods: true,
      },
      signal: new AbortController().signal,
    });
    assert.deepEqual([...files.keys()].sort(), [
      ...["web-7d4b9-x.orders.log", "web-7d4b9-x.orders.yaml"],
    ]);
    assert.equal(files.get("web-7d4b9-x.orders.log"), "agent's\n");
    assert.equal(problems.length, 2, problems.join("\n"));
    assert.match(problems[0]!, /^the manager's pods: .*ambassador/);
    assert.match(problems[1]!, /^web-7d4b9-x\.orders\.previous\.log: /);
    assert.ok(
      names.some((one) => one.kind === "workload" && one.name === "web"),
    );
  } finally {
    await Deno.remove(kubeconfig);
  }
});
