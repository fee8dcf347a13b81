/**
 * kill -9 of each process of ours at each step of an intercept: the world outside is there within 2 s, by name, and the next
 * `tp connect` leaves nothing of the intercept, on the laptop or in the cluster: the app answers.
 */
import { appBinary, Laptop, openCluster, waitFor } from "../cluster/mod.ts";
import {
  Killed,
  type Step,
  type Victim,
  victimSets,
} from "../support/killed.ts";
import { Tp } from "../support/laptop_tp.ts";
import { LaptopView } from "../support/laptop_view.ts";
import { managerPlace } from "../support/manager_place.ts";
import { sampleService } from "../support/sample_application.ts";
import { deploySmall } from "../support/small_workloads.ts";
import { hasAgent, WorkloadWatch } from "../support/workload_watch.ts";

/** Of the laptop, on the port that is intercepted. */
const port = "8080:http";
/** What may still be deleted when the next connection stands: by a connector that was not killed. */
const deletedMs = 2_000;
/** Pods of which it is seen that they are on their way. */
const slow = { httpGet: { path: "/", port: 8080 }, initialDelaySeconds: 3 };
const volume = {
  pod: { volumes: [{ name: "data", emptyDir: {} }] },
  mounts: [{ name: "data", mountPath: "/data" }],
};

Deno.test("kill -9 at every step of tp intercept and tp leave: the next connect leaves no object, and the app answers", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using view = await LaptopView.open(laptop);
  await using place = await managerPlace(cluster);
  await using shop = await cluster.namespace("shop");
  const { name: namespace } = shop;
  const watch = new WorkloadWatch(cluster, namespace);
  const workloads = victimSets.all.map((_, index) => `slow-${index}`);
  await Promise.all([
    deploySmall(cluster, namespace, {
      ...{ name: "web", pod: volume.pod },
      container: { volumeMounts: volume.mounts },
    }),
    ...workloads.map((name) =>
      deploySmall(cluster, namespace, {
        ...{ name, container: { readinessProbe: slow } },
      })
    ),
  ]);
  const server = laptop.spawn([
    ...sampleService(await appBinary(), "who"),
    ...["-grpc", "", "-tcp", "", "-udp", ""],
  ], { env: { WHO: "laptop" }, stderr: "null" });
  const connect = ["connect", ...place.flag, "--namespace", namespace];
  const tp = new Tp(laptop);
  await tp.ok(connect);
  await tp.ok(["quit"]);
  const before = await laptop.snapshot();
  let workload = "web";
  const who = async () => {
    const { stdout, stderr } = await laptop.run([
      ...["curl", "-sS", "-m", "10", `http://${workload}.${namespace}/`],
    ]);
    return /"who": *"([^"]*)"/.exec(stdout)?.[1] ?? stdout + stderr;
  };
  const killed = new Killed({
    ...{ laptop, view, user: "root", connect },
    answers: async () => {
      await waitFor("end of the object", async () => {
        const left = await watch.names("intercepts");
        return left.length === 0 || left.join();
      }, { timeoutMs: deletedMs, everyMs: 20 });
      await waitFor("answer of the app", async () => {
        const told = await who();
        return told.startsWith(`${workload}-`) || told;
      }, { timeoutMs: 5_000 });
    },
  });
  /** What a command of the user writes when it runs. */
  const pidFile = `/tmp/tp-killed-${crypto.randomUUID()}`;
  const endCommand = async () => {
    const pid = Number(view.text(pidFile));
    if (pid === 0) return;
    await laptop.run(["rm", "-f", pidFile]);
    await laptop.run(["kill", "-KILL", `${pid}`]);
  };
  const intercept = (...more: string[]) => [
    ...["intercept", workload, "--port", port, ...more],
  ];
  const command = [
    ...["--mount=false", "--", "sh", "-c"],
    `echo $$ >${pidFile}; exec sleep 600`,
  ];
  const hasMount = () => view.hasMount("fuse.sshfs");
  const steps: Record<string, Step> = {
    rollout: {
      name: "pods with an agent are on their way",
      isReached: async () => (await watch.pods(workload)).some(hasAgent),
    },
    object: {
      name: "the object is there",
      isReached: async () => (await watch.names("intercepts")).length > 0,
    },
    mounted: { name: "volumes are mounted", isReached: hasMount },
    command: {
      name: "the user's command runs",
      isReached: () => view.text(pidFile).endsWith("\n"),
    },
    leaving: {
      name: "leaving, volumes are gone",
      isReached: () => !hasMount(),
    },
  };
  const outlive = (
    step: Step,
    { victims, args, prepare }: {
      victims: Victim[];
      args: string[];
      prepare?: string[];
    },
  ) =>
    t.step(`${step.name}: ${victims.join(" and ")}`, async () => {
      const again = async () => {
        await tp.run(["leave", workload]);
        if (prepare !== undefined) await tp.ok(prepare);
      };
      await tp.ok(connect);
      if (prepare !== undefined) await tp.ok(prepare);
      await killed.outlive({ args, step, victims, again, endRest: endCommand });
      await killed.quit(before);
    });
  for (const [index, victims] of victimSets.all.entries()) {
    workload = workloads[index]!;
    const args = intercept("--mount=false");
    await outlive(steps.rollout!, { args, victims });
    await outlive(steps.object!, { args, victims });
  }
  workload = "web";
  for (const victims of victimSets.held) {
    await outlive(steps.mounted!, { args: intercept(), victims });
  }
  for (const victims of victimSets.all) {
    await outlive(steps.command!, { args: intercept(...command), victims });
  }
  for (const victims of victimSets.all) {
    await outlive(steps.leaving!, {
      ...{ args: ["leave", workload], prepare: intercept(), victims },
    });
  }
  server.kill();
  await server.status;
});
