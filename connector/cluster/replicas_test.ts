import assert from "node:assert/strict";
import { type ApiClient, ApiError, type Pod, type Ref } from "../../k8s/mod.ts";
import { findReplicas, isGone, readyOf } from "./replicas.ts";

const { signal } = new AbortController();
const place = { namespace: "there", signal };

/** A cluster in which there are these objects; `forbidden` ones may not be looked at. */
function cluster(
  { replicas, pods, forbidden = [] }: {
    replicas?: number;
    pods: (Pod | undefined)[];
    forbidden?: string[];
  },
): ApiClient {
  const objects = new Map<string, unknown>(
    pods.map((pod) => [`pods ${pod?.metadata.name}`, pod]),
  );
  if (replicas !== undefined) {
    objects.set("statefulsets traffic-manager", { spec: { replicas } });
  }
  const find = ({ plural }: { plural: string }, { name }: Ref) => {
    if (!forbidden.includes(name)) {
      return Promise.resolve(objects.get(`${plural} ${name}`));
    }
    const question = { verb: "get", resource: plural };
    const answer = { status: 403, reason: "Forbidden", detail: "no" };
    return Promise.reject(new ApiError(question, answer));
  };
  return { find } as unknown as ApiClient;
}

function pod(replica: number, { life = "c1", ready = true } = {}): Pod {
  const name = `traffic-manager-${replica}`;
  return {
    metadata: { name, uid: `uid ${name}` },
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [{
        name: "traffic-manager",
        ready,
        restartCount: 0,
        containerID: life,
      }],
    },
  };
}

const names = (pods: readonly (Pod | undefined)[]) =>
  pods.map((pod) => pod?.metadata.name);

Deno.test("findReplicas() finds as many pods as the StatefulSet wants, and one where that is not known", async () => {
  const pods = [0, 1, 2].map((i) => pod(i));
  const two = await findReplicas(cluster({ replicas: 2, pods }), place);
  assert.deepEqual(names(two.pods), ["traffic-manager-0", "traffic-manager-1"]);
  const some = cluster({ replicas: 3, pods: [pods[0], pods[2]] });
  assert.deepEqual(names((await findReplicas(some, place)).pods), [
    "traffic-manager-0",
    undefined,
    "traffic-manager-2",
  ]);
  const bare = await findReplicas(cluster({ pods }), place);
  assert.equal(bare.set, "gone");
  assert.deepEqual(names(bare.pods), ["traffic-manager-0"]);
  const forbidden = ["traffic-manager"];
  const blind = cluster({ replicas: 3, pods, forbidden });
  const found = await findReplicas(blind, place);
  assert.equal(found.set, undefined);
  assert.deepEqual(names(found.pods), ["traffic-manager-0"]);
});

Deno.test("findReplicas() passes over a pod that may not be looked at, unless that is all of them", async () => {
  const pods = [0, 1].map((i) => pod(i));
  const forbidden = ["traffic-manager-0"];
  const one = cluster({ replicas: 2, pods, forbidden });
  assert.deepEqual(names((await findReplicas(one, place)).pods), [
    undefined,
    "traffic-manager-1",
  ]);
  const none = cluster({ replicas: 1, pods, forbidden });
  await assert.rejects(findReplicas(none, place), { reason: "Forbidden" });
});

Deno.test("readyOf() gives those that are ready and stay, in an order of chance", () => {
  const going = pod(3);
  going.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  const pods = [pod(0), pod(1, { ready: false }), pod(2), going, undefined];
  const podNames = (numbers: number[]) =>
    readyOf({ set: "gone", pods }, () => numbers.shift()!).map(({ pod }) =>
      pod
    );
  const both = ["traffic-manager-0", "traffic-manager-2"];
  assert.deepEqual(podNames([0.1, 0.2]), both);
  assert.deepEqual(podNames([0.2, 0.1]), both.toReversed());
});

Deno.test("isGone() tells a pod that was replaced, and one whose container was started again", () => {
  const [replica] = readyOf({ set: "gone", pods: [pod(0)] });
  const ask = (...pods: Pod[]) => isGone({ set: "gone", pods }, replica!);
  assert.equal(ask(pod(0)), false);
  assert.equal(ask(pod(0, { ready: false })), false);
  assert.equal(ask(pod(0, { life: "c2" })), true);
  assert.equal(ask(pod(1)), true);
  const replaced = pod(0);
  replaced.metadata.uid = "another";
  assert.equal(ask(replaced), true);
  const crashed = pod(0);
  crashed.status!.containerStatuses![0]!.state = {
    waiting: { reason: "CrashLoopBackOff" },
  };
  assert.equal(ask(crashed), true);
});
