/** The manager's webhook and the API server that asks it. */
import assert from "node:assert/strict";
import type { PodSpec } from "../../manager/injection/pod_spec.ts";
import { Laptop, openCluster, waitFor } from "../cluster/mod.ts";
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

  // Who installs anew takes the authority away from nobody.
  const before = await configuration(bundle);
  await new Tp(laptop).ok(["install", ...place.flag, "--image", image]);
  assert.equal(await configuration(bundle), before);
  assert.equal(await configuration("failurePolicy"), "Ignore");
});

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
