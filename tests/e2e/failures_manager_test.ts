/** A manager that does not come, or cannot be used, is told in the cluster's words, and its installation taken back. */
import assert from "node:assert/strict";
import { type Cluster, Laptop, openCluster } from "../cluster/mod.ts";
import { failToConnect } from "../support/failing.ts";
import { Tp } from "../support/laptop_tp.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";

/** The images of the bed's own are not in other clusters. */
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");

/** How old the cluster's own word for the cause may be when it is told. */
const freshMs = 5_000;
/** Some events know their second only. */
const secondMs = 1_000;

interface Case {
  name: string;
  args?: string[];
  /** What is in the namespace beforehand. */
  object?: { apiVersion: "v1"; kind: string; spec: unknown };
  cause: RegExp;
  /** Reason of the event by which the cluster tells the same. */
  event: string;
}

const cases: Case[] = [
  {
    name: "an image that cannot be pulled",
    args: ["--image", "registry.invalid/tp:none"],
    cause: /: (ErrImagePull|ImagePullBackOff): .*registry\.invalid\/tp:none/,
    event: "Failed",
  },
  {
    name: "a container that ends again and again",
    args: ["--image", "docker.io/local/app:1"],
    cause:
      /: CrashLoopBackOff: the container ends with exit code 2, saying "usage: /,
    event: "BackOff",
  },
  {
    name: "a pod that no node has room for",
    object: {
      apiVersion: "v1",
      kind: "LimitRange",
      spec: {
        limits: [{
          type: "Container",
          defaultRequest: { "ephemeral-storage": "1Pi" },
        }],
      },
    },
    cause: /: Unschedulable: .*Insufficient ephemeral-storage/,
    event: "FailedScheduling",
  },
  {
    name: "a quota that is used up",
    object: {
      apiVersion: "v1",
      kind: "ResourceQuota",
      spec: { hard: { pods: "0" } },
    },
    cause: /: FailedCreate: .*exceeded quota: test, requested: pods=1/,
    event: "FailedCreate",
  },
  {
    name: "a pod that the API server does not admit",
    object: {
      apiVersion: "v1",
      kind: "LimitRange",
      spec: { limits: [{ type: "Container", max: { memory: "100Mi" } }] },
    },
    cause: /: FailedCreate: .*maximum memory usage per Container is 100Mi/,
    event: "FailedCreate",
  },
];

for (const { name, args = [], object, cause, event } of cases) {
  Deno.test({
    name: `${name} is told at once, and the installation taken back`,
    ignore,
    fn: async () => {
      const cluster = await openCluster();
      await using laptop = await Laptop.open(cluster);
      await using place = await managerPlace(cluster, { exists: true });
      if (object) await putInto(cluster, place, object);
      const told = await failToConnect(laptop, [...place.flag, ...args]);
      const toldAt = Date.now();
      assert.ok(
        told.cause.startsWith(
          `Cannot start the traffic manager in namespace "${place.namespace}": `,
        ),
        told.cause,
      );
      assert.match(told.cause, cause);
      assert.match(told.remedy, /Mend the cause.*`--image`/);
      assert.match(told.progress, /^Installing traffic manager in namespace/m);
      const knownAt = await eventTime(cluster, place, event);
      const ageMs = toldAt - knownAt;
      assert.ok(ageMs < freshMs + secondMs, `told ${ageMs} ms after it`);
      assert.deepEqual(await place.objects(), []);
    },
  });
}

Deno.test({
  name:
    "an installation that fails takes its namespace back, and the next one waits for that",
  ignore,
  fn: async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    const image = ["--image", "registry.invalid/tp:none"];
    const told = await failToConnect(laptop, [...place.flag, ...image]);
    assert.match(told.cause, /ErrImagePull|ImagePullBackOff/);
    assert.deepEqual(await place.objects(), []);
    const tp = new Tp(laptop);
    await using _ = await tp.connected([...place.flag]);
    assert.ok((await place.objects()).length > 0);
  },
});

Deno.test("a namespace under Pod Security's strictest level takes the manager", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster, {
    exists: true,
    labels: { "pod-security.kubernetes.io/enforce": "restricted" },
  });
  await using _ = await new Tp(laptop).connected([...place.flag]);
});

Deno.test({
  name: "a manager of another protocol version is told with both versions",
  ignore,
  fn: async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster, { exists: true });
    await standIn(cluster, place, "latermanager");
    const told = await failToConnect(laptop, [...place.flag]);
    assert.match(
      told.cause,
      /: it is tp\/9\.9\.9 and speaks protocol versions 7 to 9, this is tp\/\d+\.\d+\.\d+ and speaks version 1$/,
    );
    assert.match(told.remedy, /Install the release.*`tp install`/);
    assert.doesNotMatch(told.progress, /Daemon|root/);
  },
});

Deno.test({
  name: "a manager that does not answer is told before root is needed",
  ignore,
  fn: async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster, { exists: true });
    await standIn(cluster, place, "bench");
    const told = await failToConnect(laptop, [...place.flag]);
    assert.match(
      told.cause,
      /^Cannot reach the traffic manager in namespace "\S+": .*refused/,
    );
    assert.match(told.remedy, /kubectl port-forward.*`tp install`/);
    assert.doesNotMatch(told.progress, /Daemon|root/);
  },
});

async function putInto(
  cluster: Cluster,
  { namespace }: ManagerPlace,
  object: NonNullable<Case["object"]>,
): Promise<void> {
  const metadata = { name: "test", namespace };
  await cluster.apply(JSON.stringify({ ...object, metadata }));
}

/** A ready pod in the manager's place that runs a program of the sample application. */
async function standIn(
  cluster: Cluster,
  { namespace }: ManagerPlace,
  role: string,
): Promise<void> {
  const name = "traffic-manager-0";
  await cluster.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        { name: "app", image: "docker.io/local/app:1", args: [role] },
      ],
    },
  }));
  const wait = ["wait", "--for=condition=Ready", `pod/${name}`];
  const { code, stderr } = await cluster.kubectl(
    [...wait, "--namespace", namespace, "--timeout=30s"],
  );
  assert.equal(code, 0, stderr);
}

/** When the cluster said first that a pod does not come, by its own clock, which is ours. */
async function eventTime(
  cluster: Cluster,
  { namespace }: ManagerPlace,
  reason: string,
): Promise<number> {
  const get = ["get", "events", "--namespace", namespace, "--output=json"];
  const selector = `--field-selector=type=Warning,reason=${reason}`;
  const { stdout } = await cluster.kubectl([...get, selector]);
  const { items } = JSON.parse(stdout) as {
    items: { firstTimestamp?: string; eventTime?: string }[];
  };
  const times = items.map(({ firstTimestamp, eventTime }) =>
    Date.parse(firstTimestamp ?? eventTime ?? "")
  );
  assert.ok(times.length > 0, `no event of reason ${reason}`);
  return Math.min(...times);
}
