/** Who is interrupted, or killed, while an intercept comes about leaves nothing in the cluster. */
import assert from "node:assert/strict";
import { must, say, waitFor } from "../cluster/mod.ts";
import { openPlace, port } from "../support/intercept_place.ts";
import { executable } from "../support/laptop_tp.ts";
import { deploySmall } from "../support/small_workloads.ts";
import { hasAgent } from "../support/workload_watch.ts";

const undoneMs = 2_000;

Deno.test("tp intercept that is interrupted, or killed, while pods are on their way leaves no object after 2 s", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, namespace, watch } = place;
  // Pods that take their time, which nothing is wrong with.
  const slow = { httpGet: { path: "/", port: 8080 }, initialDelaySeconds: 10 };
  await Promise.all(
    ["slow-int", "slow-kill"].map((name) =>
      deploySmall(cluster, namespace, {
        ...{ name, container: { readinessProbe: slow } },
      })
    ),
  );
  for (
    const [name, signal] of [
      ["slow-int", "SIGINT"],
      ["slow-kill", "SIGKILL"],
    ] as const
  ) {
    await t.step(signal, async () => {
      const child = laptop.spawn(
        ["setsid", executable, "intercept", name, ...port],
        { stdout: "null", stderr: "null" },
      );
      await waitFor("pod with an agent", async () => {
        const pods = await watch.pods(name);
        return pods.some(hasAgent) || String(pods.length);
      }, { everyMs: 50 });
      await must(["kill", `-${signal.slice(3)}`, `${child.pid}`]);
      const since = performance.now();
      await waitFor("end of the object", async () => {
        const left = await watch.names("intercepts");
        return left.length === 0 || left.join();
      }, { everyMs: 20, timeoutMs: 10_000 });
      const ms = Math.round(performance.now() - since);
      const { code } = await child.status;
      say(`${signal} while pods are on their way: no object after ${ms} ms`);
      assert.ok(ms <= undoneMs, `${ms} ms`);
      if (signal === "SIGINT") assert.equal(code, 130);
    });
  }
});
