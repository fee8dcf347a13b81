/** The manager's webhook and the API server that asks it. */
import assert from "node:assert/strict";
import type { PodSpec } from "../../manager/injection/pod_spec.ts";
import {
  type Cluster,
  Laptop,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { ownImage } from "../support/own_image.ts";
import {
  appImage,
  apply,
  endpointPort,
  type Kubectl,
  kubectlIn,
  labels,
  service,
  taken,
} from "./injected_pod.ts";

Deno.test("the API server asks the manager which pods get an agent, by a certificate that the manager made", async () => {
  const cluster = await openCluster();
  const image = await ownImage(cluster, "injection");
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await new Tp(laptop).ok(["install", ...place.flag, "--image", image]);
  const configuration = async (field: string) =>
    (await cluster.kubectl([
      ...["get", "mutatingwebhookconfiguration"],
      ...[`traffic-manager-${place.namespace}`, "-o"],
      `jsonpath={.webhooks[0].${field}}`,
    ])).stdout;
  const bundle = "clientConfig.caBundle";
  await waitFor(
    "authority of the webhook",
    async () =>
      await configuration(bundle) !== "" || "the manager has not told it",
  );

  await using scope = await cluster.namespace("injection");
  const namespace = scope.name;
  const kubectl = kubectlIn(cluster, namespace);
  const metadata = { name: "web", namespace };
  const template = {
    metadata: { labels },
    spec: {
      containers: [{
        ...{ name: "app", image: appImage, args: ["who"] },
        ports: [{ name: "http", containerPort: 8080 }],
      }],
    },
  };
  const selector = { matchLabels: labels };
  await apply(cluster, {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata },
    spec: { replicas: 0, selector, template },
  });
  const uid = await kubectl(
    ...["get", "deployment", "web", "-o", "jsonpath={.metadata.uid}"],
  );
  const workload = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  await apply(
    cluster,
    service(namespace, { ports: [{ port: 80, targetPort: "http" }] }),
    {
      ...{ apiVersion: "tp.dev/v1", kind: "Agent" },
      metadata: { name: "deployment-web", namespace },
      spec: {
        manager: place.namespace,
        workload: { ...workload, uid },
        ports: [taken(8080, { names: ["http"] })],
        ...{ replaced: [], users: {} },
      },
    },
  );
  await kubectl("scale", "deployment", "web", "--replicas=1");
  const [pod] = await podsOf(kubectl);
  assert.deepEqual(
    pod!.spec.initContainers?.map(({ name }) => name),
    ["traffic-agent"],
  );
  assert.equal(pod!.metadata.labels["tp.dev/agent"], "true");
  assert.equal(
    pod!.metadata.annotations["tp.dev/manager-ca"],
    atob(await configuration(bundle)),
  );
  await cluster.rolledOut("deployment/web", { namespace });
  assert.equal(await endpointPort(kubectl), "9900");

  // Another pod of the same look is nobody's.
  await apply(cluster, {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "bare", namespace } },
    spec: template.spec,
  });
  const bare = JSON.parse(await kubectl("get", "pod", "bare", "-o", "json"));
  assert.equal(bare.spec.initContainers, undefined);

  const latency = await latencyOf(cluster, {
    webhook: await configuration("name"),
    during: async () => {
      await kubectl(
        ...["scale", "deployment", "web", `--replicas=${1 + timedPods}`],
      );
      await waitFor("more pods", async () => {
        const { length } = await podsOf(kubectl);
        return length === 1 + timedPods || `${length}`;
      });
    },
  });
  say(
    `the webhook puts an agent into a pod in ${latency.meanMs.toFixed(1)} ms ` +
      `(mean of ${latency.asked}, as the API server measures it)`,
  );
  assert.ok(latency.asked >= timedPods, `asked ${latency.asked} times`);
  assert.ok(latency.meanMs < latencyLimitMs, `${latency.meanMs} ms`);

  // Who installs anew takes the authority away from nobody.
  const before = await configuration(bundle);
  await new Tp(laptop).ok(["install", ...place.flag, "--image", image]);
  assert.equal(await configuration(bundle), before);
  assert.equal(await configuration("failurePolicy"), "Ignore");
});

/** How many more pods are made while the webhook's answers are timed. */
const timedPods = 5;
/** On a machine that does much else; some milliseconds on others. */
const latencyLimitMs = 250;

/** How long the API server waited for a webhook's answers meanwhile. */
async function latencyOf(
  { kubectl }: Cluster,
  { webhook, during }: { webhook: string; during: () => Promise<void> },
): Promise<{ asked: number; meanMs: number }> {
  const metric = "apiserver_admission_webhook_admission_duration_seconds";
  const total = async () => {
    const { stdout } = await kubectl(["get", "--raw", "/metrics"]);
    const of = (part: string) =>
      stdout.split("\n").filter((line) =>
        line.startsWith(`${metric}_${part}{`) &&
        line.includes(`name="${webhook}"`)
      ).reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    return { seconds: of("sum"), asked: of("count") };
  };
  const before = await total();
  await during();
  const after = await total();
  const asked = after.asked - before.asked;
  return { asked, meanMs: (after.seconds - before.seconds) * 1000 / asked };
}

interface SeenPod {
  metadata: {
    labels: Record<string, string>;
    annotations: Record<string, string>;
  };
  spec: PodSpec;
}

/** The pods of `web`, as soon as there are some. */
async function podsOf(kubectl: Kubectl): Promise<SeenPod[]> {
  let items: SeenPod[] = [];
  await waitFor("pod", async () => {
    ({ items } = JSON.parse(
      await kubectl("get", "pods", "-l", "app=web", "-o", "json"),
    ));
    return items.length > 0 || "none";
  }, { timeoutMs: 20_000 });
  return items;
}
