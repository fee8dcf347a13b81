import assert from "node:assert/strict";
import { type Pod, resources } from "../../k8s/mod.ts";
import { FakeCluster, podOf, refused } from "./cluster_fake.ts";
import { trialAgent, tryWebhook } from "./webhook_trial.ts";

const where = { namespace: "ambassador", image: "tp:1" };
const managerNamespace = where.namespace;

/** An API server whose webhook, when it is reached, gives an agent to whom it is told to. */
function cluster(isReached: boolean): FakeCluster {
  const one = new FakeCluster();
  one.onCreate = (_, object) => {
    const pod = object as Pod;
    const namespace = pod.metadata.namespace!;
    const agent = trialAgent(pod, { namespace, managerNamespace });
    if (isReached && agent) {
      pod.spec!.containers.push({ name: "traffic-agent" });
    }
  };
  return one;
}

Deno.test("tryWebhook() sees by a trial pod that the webhook is reached, or is not", async () => {
  assert.equal(await tryWebhook(cluster(true), where), undefined);
  const why = await tryWebhook(cluster(false), where);
  assert.match(why!, /^the API server does not reach the manager's webhook/);
});

Deno.test("tryWebhook() says nothing of the webhook when a policy denies the trial pod", async () => {
  const one = cluster(false);
  one.onCreate = () => {
    throw refused(resources.pods, 403, "Forbidden");
  };
  assert.equal(await tryWebhook(one, where), undefined);
});

Deno.test("trialAgent() is for the trial pod in the manager's namespace alone", () => {
  const pod = podOf("x");
  pod.metadata.labels = { "tp.dev/webhook-trial": "true" };
  const at = (namespace: string) =>
    trialAgent(pod, { namespace, managerNamespace });
  assert.equal(at("ambassador")?.spec.manager, "ambassador");
  assert.equal(at("shop"), undefined);
  assert.equal(
    trialAgent(podOf("x"), { namespace: "ambassador", managerNamespace }),
    undefined,
  );
});
