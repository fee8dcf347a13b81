/** What keeps an intercept from coming about is named to its user within seconds, and nothing of it is left. */
import assert from "node:assert/strict";
import { must, say, waitFor } from "../cluster/mod.ts";
import {
  openPlace,
  type Place,
  port,
  undo,
} from "../support/intercept_place.ts";
import {
  deploySmall,
  restricted,
  type SmallWorkload,
} from "../support/small_workloads.ts";
import { hasAgent } from "../support/workload_watch.ts";

/** How soon the cause is told. */
const withinMs = 5_000;

/** `tp intercept` fails in time, says why, and the workload is as it was. */
async function mustBeTold(
  { cluster, namespace, tp, watch }: Place,
  { name, spec = {}, why, before, withinMs: limitMs = withinMs }: {
    name: string;
    spec?: Partial<SmallWorkload>;
    why: RegExp;
    /** Makes the trouble; what is returned ends it. */
    before?: () => Promise<AsyncDisposable | void>;
    withinMs?: number;
  },
): Promise<void> {
  await deploySmall(cluster, namespace, { name, ...spec });
  const template = await watch.template(name);
  const pods = await watch.pods(name);
  await using _ = await before?.() ??
    { [Symbol.asyncDispose]: () => Promise.resolve() };
  await using __ = undo(() => tp.run(["leave", name]));
  const since = performance.now();
  const told = await tp.fails(["intercept", name, ...port]);
  const ms = Math.round(performance.now() - since);
  const [line = ""] = told.split("\n");
  say(`${name}: told after ${ms} ms: ${line}`);
  assert.match(told, why);
  await watch.isAsBefore(name, { template, pods });
  assert.ok(ms <= limitMs, `${ms} ms`);
}

Deno.test("what the cluster does not allow is named by tp intercept, and the workload is as before", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, watch, manager } = place;
  const inManager = ["--namespace", manager.namespace];
  const webhook = ["service/traffic-manager-webhook", ...inManager];

  await t.step("the webhook's Service leads nowhere", () =>
    mustBeTold(place, {
      name: "webhook-without-endpoints",
      why: /^tp: Cannot intercept: the API server does not reach the manager's/,
      before: async () => {
        const select = (app: string) =>
          watch.kubectl([
            ...["patch", ...webhook, "--type=merge", "--patch"],
            JSON.stringify({
              spec: { selector: { "app.kubernetes.io/name": app } },
            }),
          ]);
        await select("nobody");
        // The API server keeps the connections that it has to the process of before.
        await watch.kubectl([
          "delete",
          "pod",
          "traffic-manager-0",
          ...inManager,
        ]);
        await cluster.rolledOut("statefulset/traffic-manager", {
          namespace: manager.namespace,
        });
        return undo(() => select("traffic-manager"));
      },
    }));
  if (cluster.isBed) {
    await t.step(
      "a firewall drops what goes to the webhook",
      () =>
        mustBeTold(place, {
          name: "webhook-behind-firewall",
          why:
            /^tp: Cannot intercept: the API server does not reach .* firewall/,
          before: () => dropWebhook(place),
        }),
    );
  }
  await t.step("a quota that is used up", () =>
    mustBeTold(place, {
      name: "quota",
      why: /^tp: Cannot intercept: FailedCreate: .*exceeded quota: full/,
      before: async () => {
        await watch.kubectl(["create", "quota", "full", "--hard=pods=1"]);
        await waitFor("quota", async () => {
          const get = ["get", "quota", "full", "--output=jsonpath="];
          const used = await watch.kubectl([
            ...get.slice(0, -1),
            "--output=jsonpath={.status.used.pods}",
          ]);
          return Number(used) > 0 || used;
        });
        return undo(() => watch.kubectl(["delete", "quota", "full"]));
      },
    }));
  await t.step(
    "Pod Security, where a port by number needs NET_ADMIN",
    () =>
      mustBeTold(place, {
        name: "restricted",
        spec: { byNumber: true, container: { securityContext: restricted } },
        why: /^tp: Cannot intercept: FailedCreate: .*violates PodSecurity/,
        before: () => enforceRestricted(place),
      }),
  );
  await t.step(
    "an image of the agent that cannot be had",
    () =>
      mustBeTold(place, {
        name: "image",
        why:
          /^tp: Cannot intercept: (ErrImage\w+|ImagePullBackOff).*nowhere\.invalid/,
        before: async () => {
          const set = async (image: string) => {
            await watch.kubectl([
              ...["set", "env", "statefulset/traffic-manager", ...inManager],
              `TP_IMAGE=${image}`,
            ]);
            await cluster.rolledOut("statefulset/traffic-manager", {
              namespace: manager.namespace,
            });
          };
          const image = await watch.kubectl([
            ...["get", "statefulset/traffic-manager", ...inManager],
            "--output=jsonpath={.spec.template.spec.containers[0].image}",
          ]);
          await set("nowhere.invalid/tp:1");
          return undo(() => set(image));
        },
      }),
  );
  await t.step("no node has room for another pod", async () => {
    const [node, cpus] = (await watch.kubectl([
      ...["get", "nodes", "--output"],
      "jsonpath={.items[0].metadata.name} {.items[0].status.allocatable.cpu}",
    ])).split(" ");
    const milli = /^\d+m$/.test(cpus!) ? parseInt(cpus!) : Number(cpus) * 1000;
    // One of them has room there, two have not.
    const cpu = `${Math.round(milli * 0.55)}m`;
    await mustBeTold(place, {
      name: "room",
      why: /^tp: Cannot intercept: Unschedulable: .*nodes/,
      spec: {
        container: { resources: { requests: { cpu } } },
        pod: { nodeSelector: { "kubernetes.io/hostname": node } },
      },
    });
  });
});

Deno.test("a pod by name is intercepted at the restricted level of Pod Security", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, namespace, tp, watch } = place;
  await using __ = await enforceRestricted(place);
  const container = { securityContext: restricted };
  await deploySmall(cluster, namespace, { name: "web", container });
  const told = await tp.ok(["intercept", "web", ...port]);
  assert.match(told, /^ {3}State +: ACTIVE$/m);
  const pods = await watch.pods("web");
  assert.deepEqual(pods.map(hasAgent), [true]);
});

/** The namespace allows no more than that level. */
async function enforceRestricted(
  { watch, namespace }: Place,
): Promise<AsyncDisposable> {
  const label = "pod-security.kubernetes.io/enforce";
  const set = (value: string) =>
    watch.kubectl([
      ...["label", "namespace", namespace, "--overwrite", `${label}${value}`],
    ]);
  await set("=restricted");
  return undo(() => set("-"));
}

/** What goes to the manager's webhook vanishes. */
async function dropWebhook(
  { cluster, manager, watch }: Place,
): Promise<AsyncDisposable> {
  const address = await watch.kubectl([
    ...["get", "pod", "traffic-manager-0", "--namespace", manager.namespace],
    "--output=jsonpath={.status.podIP}",
  ]);
  const table = "inet tp_test_webhook";
  const rule = `ip daddr ${address} tcp dport 7414 drop`;
  const nft = async (rules: string) => {
    for (const { netns } of cluster.nodes) {
      const inside = ["nsenter", `--net=/run/netns/${netns}`, "--"];
      await must([...inside, "nft", "-f", "-"], { stdin: rules });
    }
  };
  await nft(`
table ${table} {
  chain output { type filter hook output priority 0; ${rule}; }
  chain forward { type filter hook forward priority 0; ${rule}; }
}
`);
  return undo(() => nft(`delete table ${table}\n`));
}
