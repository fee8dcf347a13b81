/** A workload's traffic and environment on the laptop: intercept, leave, list, and how it ends. */
import assert from "node:assert/strict";
import {
  appBinary,
  type Cluster,
  Laptop,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import {
  deploySampleApplication,
  sampleService,
} from "../support/sample_application.ts";

const name = "dataprocessingservice";
const serverPath = new URL("../app/server.js", import.meta.url).pathname;

/** A connected laptop, and the sample application in a namespace of its own. */
async function openPlace() {
  await using building = new AsyncDisposableStack();
  const cluster = await openCluster();
  const laptop = building.use(await Laptop.open(cluster));
  const manager = building.use(await managerPlace(cluster));
  const { name: namespace } = building.use(await cluster.namespace("shop"));
  await deploySampleApplication(cluster, namespace);
  const tp = new Tp(laptop);
  building.use(
    await tp.connected([...manager.flag, "--namespace", namespace]),
  );
  const service = sampleService(await appBinary(), name);
  return {
    ...{ cluster, laptop, tp, namespace, service },
    moved: building.move(),
  };
}

/** What the page says that the service said: the color. */
async function color(laptop: Laptop, namespace: string): Promise<string> {
  const url = `verylargejavaservice.${namespace}:8080`;
  const { stdout, stderr } = await laptop.run(
    ["curl", "-sS", "-m", "30", url],
  );
  return /service says: (\w+)/.exec(stdout)?.[1] ?? stdout + stderr;
}

async function intercepts(
  cluster: Cluster,
  namespace: string,
): Promise<string> {
  const get = ["get", "intercepts", "--namespace", namespace, "--no-headers"];
  return (await cluster.kubectl(get)).stdout;
}

Deno.test("tp intercept brings a service's requests and environment to the laptop, tp leave gives them back", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, namespace, service } = place;
  assert.equal(await color(laptop, namespace), "green");
  const server = laptop.spawn(service, {
    env: { COLOR: "blue", PORT: "3000" },
    stderr: "null",
  });

  await t.step("tp list tells what can be intercepted", async () => {
    const list = await tp.ok(["list"]);
    assert.match(
      list,
      /^deployment dataprocessingservice: ready to intercept \(traffic-agent not yet installed\)$/m,
    );
  });
  await t.step("tp intercept", async () => {
    const told = await tp.ok([
      ...["intercept", name, "--port", "3000", "--env-file", "/root/tp-env"],
    ]);
    assert.match(told, /^Using Deployment dataprocessingservice$/m);
    assert.match(told, /^ {3}State +: ACTIVE$/m);
    assert.match(told, /^ {3}Intercepting +: all TCP connections$/m);
    assert.equal(await color(laptop, namespace), "blue");
  });
  await t.step("the environment is the container's, and private", async () => {
    const { stdout } = await laptop.run(
      [
        "sh",
        "-c",
        "stat -c %a /root/tp-env; cat /root/tp-env; rm /root/tp-env",
      ],
    );
    assert.match(stdout, /^600\n/);
    assert.match(stdout, /^COLOR=green$/m);
    assert.match(stdout, /^KUBERNETES_SERVICE_HOST=/m);
    assert.match(stdout, /^TELEPRESENCE_CONTAINER=dataprocessingservice$/m);
  });
  await t.step("tp list and tp status tell it", async () => {
    const list = JSON.parse(await tp.ok(["list", "-i", "--output", "json"]));
    assert.equal(list.length, 1);
    const [info] = list[0].intercept_infos;
    assert.equal(info.disposition, "ACTIVE");
    assert.equal(info.target_port, 3000);
    assert.equal(list[0].agent, true);
    const status = JSON.parse(await tp.ok(["status", "--output", "json"]));
    assert.equal(status.user_daemon.intercepts[0].name, name);
    assert.match(await tp.ok(["status"]), /Intercepts: +1 total\n +data/);
  });
  await t.step("a name and a port of the laptop are given once", async () => {
    assert.match(
      await tp.fails(["intercept", name, "--port", "3001"]),
      /^tp: Intercept with name "dataprocessingservice" already exists\n/,
    );
    assert.match(
      await tp.fails(["intercept", "verylargedatastore", "--port", "3000"]),
      /^tp: Port 127\.0\.0\.1:3000 is already in use by intercept data/m,
    );
  });
  await t.step(
    "what nothing listens for is the app's, and an event tells",
    async () => {
      server.kill();
      await server.status;
      assert.equal(await color(laptop, namespace), "green");
      await waitFor("events of the intercept and the pod", async () => {
        const { stdout } = await cluster.kubectl([
          ...["get", "events", "--namespace", namespace],
          ...["--field-selector", "reason=LaptopRefused,type=Warning"],
          ...["--output", "jsonpath={.items[*].involvedObject.kind}"],
        ]);
        const kinds = stdout.split(" ").sort();
        return kinds.join() === "Intercept,Pod" || stdout;
      });
    },
  );
  await t.step("tp leave", async () => {
    await tp.ok(["leave", name]);
    assert.equal(await color(laptop, namespace), "green");
    assert.equal(await intercepts(cluster, namespace), "");
    assert.match(await tp.fails(["leave", name]), /" not found\n/);
  });
});

Deno.test("tp intercept -- CMD ends with CMD, and with whoever is killed", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, namespace, service } = place;
  const isGone = async () => {
    const left = await intercepts(cluster, namespace);
    return left === "" || left;
  };
  await t.step(
    "the exit code is CMD's, which has the environment",
    async () => {
      const { code, stdout, stderr } = await tp.run([
        ...["intercept", name, "--port", "3000", "--"],
        ...["sh", "-c", "echo $COLOR $TELEPRESENCE_CONTAINER; exit 7"],
      ]);
      assert.equal(stdout, "green dataprocessingservice\n", stderr);
      assert.equal(code, 7);
      assert.equal(await intercepts(cluster, namespace), "");
    },
  );
  await t.step(
    "a program of node, which asks services by their short names",
    async () => {
      const envFile = "/tmp/tp-node-env";
      const child = laptop.spawn([
        ...[executable, "intercept", name, "--port", "3000"],
        ...["--env-file", envFile, "--", "node", serverPath],
      ], { stderr: "null" });
      await waitFor("the laptop's page", async () => {
        const told = await color(laptop, namespace);
        return told === "violet" || told;
      });
      const { stdout } = await laptop.run(
        ["sh", "-c", `grep -c COLOR=green ${envFile}; rm ${envFile}`],
      );
      assert.equal(stdout, "1\n");
      await tp.ok(["leave", name]);
      child.kill("SIGTERM");
      await child.status;
      assert.equal(await color(laptop, namespace), "green");
    },
  );
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    await t.step(`${signal} to tp`, async () => {
      const child = laptop.spawn([
        ...[executable, "intercept", name, "--port", "3000", "--"],
        ...["env", "COLOR=blue", ...service],
      ], { stderr: "null" });
      await waitFor("the laptop's answers", async () => {
        const told = await color(laptop, namespace);
        return told === "blue" || told;
      });
      child.kill(signal);
      await child.status;
      await waitFor("end of the intercept", isGone, { timeoutMs: 5_000 });
      assert.equal(await color(laptop, namespace), "green");
      await laptop.run(["pkill", "-f", service.join(" ")]);
    });
  }
  await t.step("tp quit", async () => {
    await tp.ok(["intercept", name, "--port", "3000"]);
    assert.notEqual(await intercepts(cluster, namespace), "");
    await tp.ok(["quit"]);
    assert.equal(await intercepts(cluster, namespace), "");
  });
});
