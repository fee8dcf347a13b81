/** Who fills the manager's doors holds a share of them: agents come in, and pods are given theirs. */
import assert from "node:assert/strict";
import type { WorkloadInfo } from "../../connector/api.ts";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import { type CrowdCounts, DoorCrowd } from "../support/door_crowd.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { deploySmall, whoContainer } from "../support/small_workloads.ts";
import { hasAgent, isReady, WorkloadWatch } from "../support/workload_watch.ts";

/** As long as nobody else is there it takes a few seconds. */
const boundMs = 30_000;

const crowds: {
  app: string;
  holds: number;
  isDone: (counts: CrowdCounts) => boolean;
}[] = [
  // More than the doors have places.
  { app: "web", holds: 300, isDone: ({ turnedAway }) => turnedAway > 300 },
  {
    ...{ app: "other", holds: 40 },
    isDone: ({ tokens: { forbidden = 0, overloaded = 0 }, reviews }) =>
      forbidden > 30 && overloaded > 0 && (reviews["200"] ?? 0) > 100,
  },
];

Deno.test({
  name:
    "a pod that fills both doors of the manager keeps no agent out, and no pod without one",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    await using shop = await cluster.namespace("shop");
    const { name: namespace } = shop;
    const watch = new WorkloadWatch(cluster, namespace);
    for (const { app } of crowds) {
      await deploySmall(cluster, namespace, { name: app });
    }
    const labels = { app: "intruder" };
    const intruder = {
      ...{ apiVersion: "v1", kind: "Pod" },
      metadata: { namespace, name: "intruder", labels },
      spec: { containers: [whoContainer()] },
    };
    await watch.kubectl(["create", "-f", "-"], JSON.stringify(intruder));
    const tp = new Tp(laptop);
    await using _ = await tp.connected([
      ...[...place.flag, "--namespace", namespace],
    ]);
    await waitFor("the intruder's pod", async () => {
      const [pod] = await watch.pods("intruder");
      return pod !== undefined && isReady(pod) || "not yet";
    });
    const manager = async (path: string) =>
      (await cluster.kubectl([
        ...["get", "pod", "traffic-manager-0", `--output=jsonpath={${path}}`],
        ...["--namespace", place.namespace],
      ])).stdout;
    const { stdout: bundle } = await cluster.kubectl([
      ...["get", "mutatingwebhookconfiguration"],
      `traffic-manager-${place.namespace}`,
      "--output=jsonpath={.webhooks[0].clientConfig.caBundle}",
    ]);
    const log = async () =>
      (await cluster.kubectl([
        ...["logs", "traffic-manager-0", "--namespace", place.namespace],
        "--tail=-1",
      ])).stdout.split("\n");
    // A pod of a workload of which no manager knows: each copy asks the API server whether it has an agent.
    const forged = {
      metadata: {
        name: "forged",
        annotations: { "tp.dev/agent-revision": "1" },
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "1" },
        ].map((one) => ({ ...one, controller: true })),
      },
      spec: { containers: [{ name: "app" }] },
    };
    const startMs = performance.now();
    for (const { app, holds, isDone } of crowds) {
      await using crowd = await DoorCrowd.open({
        ...{ holds, pod: (await watch.pods("intruder"))[0]!.metadata.uid },
        address: await manager(".status.podIP"),
        authorities: atob(bundle),
        review: JSON.stringify({
          ...{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" },
          request: {
            ...{ uid: "1", namespace, operation: "CREATE", object: forged },
            resource: { group: "", version: "v1", resource: "pods" },
          },
        }),
      });
      await waitFor(
        "what he does to be told",
        () =>
          Promise.resolve(isDone(crowd.counts) || JSON.stringify(crowd.counts)),
        { timeoutMs: boundMs },
      );
      const interceptMs = performance.now();
      await tp.ok(["intercept", app, "--port", "3000:http", "--mount=false"]);
      const activeMs = performance.now() - interceptMs;
      const scaleMs = performance.now();
      await watch.kubectl(["scale", "deployment", app, "--replicas=3"]);
      await waitFor("pods with agents that have come in", async () => {
        const pods = (await watch.pods(app)).filter((pod) =>
          hasAgent(pod) && isReady(pod)
        );
        const list = await tp.ok(["list", "--output=json"]);
        const ready = (JSON.parse(list) as WorkloadInfo[])
          .find(({ name }) => name === app)?.intercept_infos[0]?.pods?.ready;
        return pods.length === 3 && ready === 3 ||
          `${pods.length} pods, ${ready} have the intercept`;
      }, { timeoutMs: boundMs });
      const scaledMs = performance.now() - scaleMs;
      say(
        `${holds} connections of each kind: Active after ${
          Math.round(activeMs)
        } ms, two more pods after ${Math.round(scaledMs)} ms; ` +
          JSON.stringify(crowd.counts),
      );
      assert.ok(activeMs < boundMs, `${activeMs} ms`);
      await tp.ok(["leave", app]);
    }
    const lines = await log();
    const told = lines.filter((line) => line.includes("forbidden to an agent"));
    const seconds = (performance.now() - startMs) / 1000;
    say(`${told.length} lines of it in ${Math.round(seconds)} s`);
    assert.ok(told.length <= 100 + seconds, `${told.length}`);
    const restarts = ".status.containerStatuses[0].restartCount";
    assert.equal(await manager(restarts), "0");
  },
});
