/** 200 laptops with 500 intercepts on one workload: each request comes to the laptop that it is for, whatever restarts. */
import assert from "node:assert/strict";
import type { InterceptSpec } from "../../manager/api.ts";
import {
  type Cluster,
  Laptop,
  must,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import {
  ends,
  lifeOf,
  podProcesses,
  succeeded,
} from "../support/manager_pods.ts";
import { managerPlace } from "../support/manager_place.ts";
import { deploySmall } from "../support/small_workloads.ts";
import { WorkloadWatch } from "../support/workload_watch.ts";

const laptops = 200;
const intercepts = 500;
const withinMs = 10_000;
const owner = "test:crowd";
const pod = "traffic-manager-0";

/** Asks for every intercept once. */
async function ask(
  { nodes }: Cluster,
  address: string,
): Promise<string[]> {
  const script = new URL(
    "../support/crowd_clients_script.ts",
    import.meta.url,
  );
  const told = await must([
    ...["nsenter", `--net=/run/netns/${nodes[0]!.netns}`, "--"],
    ...[Deno.execPath(), "run", "-A", script.pathname],
    ...[address, String(intercepts)],
  ], { timeoutMs: 120_000 });
  return JSON.parse(told);
}

/** Laptops in the network of the manager's pod: a line for each time that all are connected. */
function startLaptops(pids: readonly number[]) {
  const script = new URL(
    "../support/crowd_laptops_script.ts",
    import.meta.url,
  );
  const child = new Deno.Command("nsenter", {
    args: [
      ...[`--target=${pids[0]}`, "--net", "--", Deno.execPath(), "run", "-A"],
      ...[script.pathname, String(laptops)],
    ],
    stdout: "piped",
  }).spawn();
  const lines: string[] = [];
  const reading = (async () => {
    let rest = "";
    const decoded = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of decoded) {
      const all = (rest + text).split("\n");
      rest = all.pop()!;
      lines.push(...all);
    }
  })();
  return {
    lines,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reading;
    },
  };
}

Deno.test({
  name: "200 laptops with 500 intercepts, and whose is whose",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    await using shop = await cluster.namespace("crowd");
    const { name: namespace } = shop;
    const watch = new WorkloadWatch(cluster, namespace);
    await deploySmall(cluster, namespace, {
      ...{ name: "web", replicas: 2 },
      // A pod that is replaced has the time that its requests take on a busy machine.
      pod: { terminationGracePeriodSeconds: 10 },
    });
    await new Tp(laptop).ok(["install", ...place.flag]);
    await cluster.rolledOut("statefulset/traffic-manager", {
      namespace: place.namespace,
    });
    await using crowd = startLaptops(
      await podProcesses(cluster, place, pod),
    );
    await waitFor(
      "laptops",
      () => Promise.resolve(crowd.lines.length > 0 || "not all"),
    );
    const thumbprints: string[] = JSON.parse(crowd.lines[0]!);
    const objects = Array.from({ length: intercepts }, (_, n) => ({
      ...{ apiVersion: "tp.dev/v1", kind: "Intercept" },
      metadata: { name: `i${n}`, namespace },
      spec: {
        ...{ name: `i${n}`, owner, client: `crowd@${n % laptops}` },
        ...{ manager: place.namespace, session: thumbprints[n % laptops]! },
        workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        ...{ mode: "intercept", container: "app" },
        ports: [{ port: 8080, protocol: "TCP" }],
        match: {
          combine: "all",
          headers: [{ name: "x-user", kind: "exact", value: `u${n}` }],
        },
      } satisfies InterceptSpec,
    }));
    const createdMs = performance.now();
    await must([
      ...[cluster.kubectlPath, "--kubeconfig", cluster.kubeconfigPath],
      ...["create", "--as", owner, "--as-group", "system:masters"],
      ...["--filename=-", "--output=name"],
    ], {
      stdin: JSON.stringify({
        ...{ apiVersion: "v1", kind: "List", items: objects },
      }),
      timeoutMs: 120_000,
    });
    const phases = async () => {
      const told = await watch.kubectl([
        ...["get", "intercepts"],
        '--output=jsonpath={range .items[*]}{.metadata.uid} {.metadata.name} {.status.phase}{"\\n"}{end}',
      ]);
      return told.trim().split("\n").map((line) => line.split(" "));
    };
    await waitFor("intercepts", async () => {
      const active = (await phases()).filter(([, , phase]) =>
        phase === "Active"
      );
      return active.length === intercepts || String(active.length);
    }, { timeoutMs: 120_000, everyMs: 500 });
    say(
      `${intercepts} intercepts of ${laptops} laptops: created and Active in ${
        Math.round(performance.now() - createdMs)
      } ms`,
    );
    const expected: string[] = [];
    for (const [uid, name] of await phases()) {
      const n = Number(name!.slice(1));
      expected[n] = `${thumbprints[n % laptops]} ${uid}`;
    }
    const address = await watch.kubectl([
      ...["get", "service", "web", "--output=jsonpath={.spec.clusterIP}"],
    ]);
    const mustBeRight = async () => {
      const since = performance.now();
      const answers = await ask(cluster, address);
      const wrong = answers.flatMap((answer, n) =>
        answer === expected[n] ? [] : [`${n}: ${answer}`]
      );
      assert.deepEqual(wrong, []);
      return Math.round(performance.now() - since);
    };
    await t.step("every request is its laptop's", async () => {
      say(`${intercepts} requests: ${await mustBeRight()} ms`);
    });
    await t.step("a manager that is killed", async () => {
      const lines = crowd.lines.length;
      const life = (await lifeOf(cluster, place, pod))!;
      await ends.find(({ name }) => name === "is killed")!
        .bring(cluster, place, pod);
      await succeeded(cluster, place, { pod, life });
      const readyMs = performance.now();
      await waitFor("laptops", () => {
        return Promise.resolve(crowd.lines.length > lines || "not all");
      }, { everyMs: 20 });
      const backMs = Math.round(performance.now() - readyMs);
      await mustBeRight();
      const ms = Math.round(performance.now() - readyMs);
      say(
        `a manager's restart: all ${laptops} laptops back ${backMs} ms after it is ready, all ${intercepts} requests right after ${ms} ms`,
      );
      assert.ok(ms <= withinMs, `${ms} ms`);
      const lost = (await phases()).filter(([, , phase]) => phase !== "Active");
      assert.deepEqual(lost, []);
    });
    await t.step("a rolling update of the workload", async () => {
      await watch.kubectl(["rollout", "restart", "deployment/web"]);
      await mustBeRight();
      await cluster.rolledOut("deployment/web", { namespace });
      say(`after a rolling update: ${await mustBeRight()} ms`);
    });
  },
});
