/** tp uninstall --everything in the middle of traffic and of an activation: all ends cleanly, and pods come as ever. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import { InterceptedService } from "../support/intercepted_service.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySmall, whoContainer } from "../support/small_workloads.ts";
import { hasAgent, WorkloadWatch } from "../support/workload_watch.ts";

/** Who waits for an intercept hears that there is no more of it. */
const toldMs = 10_000;

Deno.test({
  name:
    "tp uninstall --everything ends traffic and activations cleanly, and pods can be made afterwards",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async () => {
    const cluster = await openCluster();
    await using place = await managerPlace(cluster);
    await using shop = await cluster.namespace("shop");
    const { name: namespace } = shop;
    const watch = new WorkloadWatch(cluster, namespace);
    const slow = { httpGet: { path: "/", port: 8080 }, initialDelaySeconds: 9 };
    await Promise.all([
      deploySmall(cluster, namespace, {
        ...{ name: "busy", replicas: 2 },
        // It serves on while clients are still led to it, as an app must that loses no request when it is replaced.
        container: { env: [{ name: "DRAIN", value: "3000" }] },
        pod: { terminationGracePeriodSeconds: 10 },
      }),
      deploySmall(cluster, namespace, {
        ...{ name: "slow", container: { readinessProbe: slow } },
      }),
    ]);
    const template = await watch.template("slow");
    // Whose pods have an agent of another manager is left alone.
    await deploySmall(cluster, namespace, { name: "theirs" });
    const [theirs] = await watch.pods("theirs");
    await watch.kubectl([
      ...["annotate", "pod", theirs!.metadata.name, "tp.dev/manager=another"],
    ]);
    await watch.kubectl([
      ...["label", "pod", theirs!.metadata.name, "tp.dev/agent=true"],
    ]);
    await using laptop = await Laptop.open(cluster);
    const before = await laptop.snapshot();
    const tp = new Tp(laptop);
    await using busy = await InterceptedService.open(cluster, {
      ...{ name: "busy", namespace, place, ports: ["8080:http"] },
    });
    await tp.ok(["connect", ...place.flag, "--namespace", namespace]);
    const waiting = laptop.spawn([
      ...[executable, "intercept", "slow", "--port", "8080:http"],
      "--mount=false",
    ], { stdout: "null", stderr: "piped" });
    await waitFor("activation", async () => {
      const pods = await watch.pods("slow");
      return pods.some(hasAgent) || String(pods.length);
    });

    const startMs = Date.now();
    const ended = waiting.output().then(({ code, stderr }) => ({
      ...{ code, text: new TextDecoder().decode(stderr) },
      ms: Date.now() - startMs,
    }));
    const admin = await Laptop.open(cluster);
    await using _ = admin;
    const said = await new Tp(admin).ok(
      ["uninstall", "--everything", ...place.flag],
    );
    const tookMs = Date.now() - startMs;
    assert.match(said, /^Removed the agents of 2 workloads$/m);
    const { code, text, ms } = await ended;
    say(
      `uninstall in the middle: ${tookMs} ms; tp intercept ended after ${ms} ms: ${
        text.split("\n")[0]
      }`,
    );
    assert.equal(code, 1);
    assert.match(text, /^tp: Cannot intercept: /);
    assert.ok(ms <= toldMs, `${ms} ms`);
    await busy.clients.answered(/^busy-/);
    const answers = await busy.clients.settled(startMs, Date.now());
    const failed = answers.filter(({ who }) => who === undefined);
    say(`${answers.length} requests meanwhile, ${failed.length} failed`);
    assert.deepEqual(failed, []);

    assert.deepEqual(await place.objects(), []);
    const [still] = await watch.pods("theirs");
    assert.equal(still!.metadata.uid, theirs!.metadata.uid);
    assert.equal(await watch.template("slow"), template);
    for (const name of ["busy", "slow"]) {
      const pods = await watch.pods(name);
      assert.deepEqual(pods.filter(hasAgent), []);
    }
    const since = performance.now();
    const pod = {
      ...{ apiVersion: "v1", kind: "Pod" },
      metadata: { namespace, name: "after" },
      spec: { containers: [whoContainer()] },
    };
    await watch.kubectl(["create", "-f", "-"], JSON.stringify(pod));
    const createMs = Math.round(performance.now() - since);
    say(`a pod is made afterwards in ${createMs} ms`);
    assert.ok(createMs < 1_000, `${createMs} ms`);
    await watch.kubectl(["wait", "--for=condition=Ready", "pod/after"]);

    for (const one of [tp, busy.tp]) {
      assert.match(await one.ok(["status"]), /Proxy: +INTERRUPTED/);
      await one.ok(["quit"]);
    }
    assertSameState(await laptop.snapshot(), before);
  },
});
