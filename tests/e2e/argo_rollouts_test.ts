/** Rollouts of Argo, with its own controller: how it replaces pods is its to say, and their canaries go on meanwhile. */
import assert from "node:assert/strict";
import { appBinary, openArgoRollouts, say, waitFor } from "../cluster/mod.ts";
import { openPlace, type Place, port } from "../support/intercept_place.ts";
import { sampleService } from "../support/sample_application.ts";
import { whoContainer } from "../support/small_workloads.ts";
import { hasAgent, isReady } from "../support/workload_watch.ts";

interface Rollout {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: Record<string, unknown>;
  readonly status?: {
    readonly phase?: string;
    readonly observedGeneration?: string;
    readonly stableRS?: string;
    readonly currentPodHash?: string;
  };
}

const argo = { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout" };
const apps = { apiVersion: "apps/v1", kind: "Deployment" };
/** Another cluster may have a controller of its own. */
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");

/** One of two pods is of the next version for a moment, then the other, too. */
const canary = { steps: [{ setWeight: 50 }, { pause: { duration: "2s" } }] };
/** One of two pods is of the next version until somebody says to go on. */
const halfway = { steps: [{ setWeight: 50 }, { pause: {} }] };

function template(labels: Record<string, string>) {
  return {
    metadata: { labels },
    spec: { terminationGracePeriodSeconds: 1, containers: [whoContainer()] },
  };
}

/** Applies a Rollout with its Service, and waits until it is healthy. */
async function deployRollout(
  { cluster, namespace, watch }: Place,
  { name, strategy }: { name: string; strategy: unknown },
): Promise<void> {
  const labels = { app: name };
  const metadata = { name, namespace };
  const items = [{
    ...{ ...argo, metadata },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: template(labels),
      strategy: { canary: strategy },
    },
  }, {
    ...{ apiVersion: "v1", kind: "Service", metadata },
    spec: {
      selector: labels,
      ports: [{ name: "http", port: 80, targetPort: "http" }],
    },
  }];
  await cluster.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  await untilPhase(watch, name, "Healthy");
}

async function rolloutOf(
  watch: Place["watch"],
  name: string,
): Promise<Rollout> {
  return JSON.parse(
    await watch.kubectl(["get", "rollout", name, "--output=json"]),
  );
}

async function untilPhase(
  watch: Place["watch"],
  name: string,
  phase: "Healthy" | "Paused",
): Promise<void> {
  await waitFor(`${name}: ${phase}`, async () => {
    const { status } = await rolloutOf(watch, name);
    return status?.phase === phase || JSON.stringify(status);
  }, { timeoutMs: 90_000 });
}

async function setVersion(
  watch: Place["watch"],
  name: string,
  version: string,
): Promise<void> {
  const annotations = { version };
  const changes = { spec: { template: { metadata: { annotations } } } };
  await watch.kubectl([
    ...["patch", "rollout", name, "--type=merge"],
    ...["--patch", JSON.stringify(changes)],
  ]);
}

/** Asks the Service without end, on a connection each; what is told is who answered. */
function askOnAndOn({ laptop, namespace }: Place, name: string) {
  const answers: string[] = [];
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      const { stdout, stderr } = await laptop.run(
        ["curl", "-sS", "-m", "10", `${name}.${namespace}/who`],
      );
      answers.push(/"who": *"([^"]*)"/.exec(stdout)?.[1] ?? stdout + stderr);
    }
  })();
  return {
    answers,
    stop: async () => {
      over.abort();
      await asking;
    },
  };
}

async function whoAnswers(place: Place, name: string): Promise<string> {
  const { answers, stop } = askOnAndOn(place, name);
  await stop();
  return answers[0]!;
}

function who(): Promise<string[]> {
  return appBinary().then((path) => sampleService(path, "who"));
}

/** Of which versions the pods are, as their names tell. */
async function podHashes(watch: Place["watch"]): Promise<string[]> {
  const pods = await watch.pods("web");
  return pods.map(({ metadata }) => metadata.name.split("-").at(-2)!).sort();
}

/** As {@link setVersion} leaves it. */
function withVersion(spec: Rollout["spec"], version: string) {
  const changed = structuredClone(spec);
  const { metadata } = changed["template"] as { metadata: object };
  Object.assign(metadata, { annotations: { version } });
  return changed;
}

async function uninstall(
  { tp, namespace, manager }: Place,
  name: string,
): Promise<void> {
  await tp.ok([
    ...["uninstall", name, "--namespace", namespace, ...manager.flag],
  ]);
}

function serveOnLaptop({ laptop }: Place, who: string[]): AsyncDisposable {
  const server = laptop.spawn([...who, "-grpc", "", "-tcp", ""], {
    env: { WHO: "laptop" },
    stderr: "null",
  });
  return {
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await server.status;
    },
  };
}

Deno.test({
  name:
    "a Rollout of Argo is intercepted, rolls out the next version meanwhile, and is left as it was",
  ignore,
  fn: async (t) => {
    const place = await openPlace();
    await using _ = place.moved;
    const { cluster, namespace, tp, watch } = place;
    await using _controller = await openArgoRollouts(cluster, { namespace });
    await using _server = serveOnLaptop(place, await who());
    await deployRollout(place, { name: "web", strategy: canary });
    const before = await rolloutOf(watch, "web");

    await t.step("tp list", async () => {
      assert.match(await tp.ok(["list"]), /^rollout web: ready to intercept/m);
    });
    await t.step("its traffic comes, of both pods", async () => {
      const since = performance.now();
      assert.match(
        await tp.ok(["intercept", "web", ...port]),
        /State +: ACTIVE\n +Workload kind +: Rollout/,
      );
      say(`active after ${Math.round(performance.now() - since)} ms`);
      // The last pod that came need not be ready yet.
      await untilPhase(watch, "web", "Healthy");
      const pods = await watch.pods("web");
      assert.deepEqual(pods.map(hasAgent), [true, true]);
      assert.deepEqual(pods.map(isReady), [true, true]);
      for (let i = 0; i < 20; i++) {
        assert.equal(await whoAnswers(place, "web"), "laptop");
      }
      assert.match(await tp.ok(["list"]), /^rollout web: intercepted/m);
    });
    await t.step(
      "the next version rolls out, and no request goes by",
      async () => {
        const { answers, stop } = askOnAndOn(place, "web");
        await setVersion(watch, "web", "2");
        await waitFor("the next version", async () => {
          const { status } = await rolloutOf(watch, "web");
          return status?.stableRS !== before.status?.stableRS ||
            JSON.stringify(status);
        }, { timeoutMs: 90_000 });
        await untilPhase(watch, "web", "Healthy");
        await stop();
        say(`${answers.length} requests while the next version rolled out`);
        assert.deepEqual(new Set(answers), new Set(["laptop"]));
        const pods = await watch.pods("web");
        assert.deepEqual(pods.map(hasAgent), [true, true]);
        assert.match(
          await tp.ok(["list", "--intercepts"]),
          /^rollout web: intercepted/m,
        );
      },
    );
    await t.step("tp leave", async () => {
      await tp.ok(["leave", "web"]);
      assert.match(await whoAnswers(place, "web"), /^web-/);
    });
    await t.step("tp uninstall leaves it as it was", async () => {
      const since = performance.now();
      await uninstall(place, "web");
      say(`agents gone after ${Math.round(performance.now() - since)} ms`);
      await untilPhase(watch, "web", "Healthy");
      const pods = await watch.pods("web");
      assert.deepEqual(pods.map(hasAgent), [false, false]);
      assert.match(await whoAnswers(place, "web"), /^web-/);
      const { metadata, spec } = await rolloutOf(watch, "web");
      assert.deepEqual(spec, withVersion(before.spec, "2"));
      assert.doesNotMatch(JSON.stringify(metadata.annotations), /tp\.dev/);
      assert.deepEqual(await watch.names("intercepts", "agents"), []);
    });
  },
});

Deno.test({
  name: "a Rollout whose canary waits halfway is intercepted in both versions",
  ignore,
  fn: async () => {
    const place = await openPlace();
    await using _ = place.moved;
    const { cluster, namespace, tp, watch } = place;
    await using _controller = await openArgoRollouts(cluster, { namespace });
    await using _server = serveOnLaptop(place, await who());
    await deployRollout(place, { name: "web", strategy: halfway });
    await setVersion(watch, "web", "2");
    await untilPhase(watch, "web", "Paused");
    const hashes = await podHashes(watch);
    assert.equal(new Set(hashes).size, 2);
    assert.match(await tp.ok(["intercept", "web", ...port]), /ACTIVE/);
    assert.deepEqual(await podHashes(watch), hashes);
    assert.deepEqual((await watch.pods("web")).map(hasAgent), [true, true]);
    for (let i = 0; i < 20; i++) {
      assert.equal(await whoAnswers(place, "web"), "laptop");
    }
    await tp.ok(["leave", "web"]);
    await uninstall(place, "web");
    assert.deepEqual((await watch.pods("web")).map(hasAgent), [false, false]);
    assert.deepEqual(await podHashes(watch), hashes);
    assert.equal((await rolloutOf(watch, "web")).status?.phase, "Paused");
  },
});

Deno.test({
  name:
    "a Rollout whose template a Deployment has is refused, with what stands in the way",
  ignore,
  fn: async () => {
    const place = await openPlace();
    await using _ = place.moved;
    const { cluster, namespace, tp, watch } = place;
    await using _controller = await openArgoRollouts(cluster, { namespace });
    const labels = { app: "web" };
    const selector = { matchLabels: labels };
    const workloadRef = { ...apps, name: "base" };
    const items = [{
      ...{ ...apps, metadata: { namespace, name: "base" } },
      spec: { replicas: 0, selector, template: template(labels) },
    }, {
      ...{ ...argo, metadata: { namespace, name: "web" } },
      spec: { replicas: 1, selector, workloadRef, strategy: { canary: {} } },
    }];
    await cluster.apply(
      JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    );
    await untilPhase(watch, "web", "Healthy");
    const before = await rolloutOf(watch, "web");
    const why = 'Rollout "web" has its template in Deployment "base" ' +
      "(workloadRef), and can be intercepted only with one of its own";
    const [cause] = (await tp.fails(["intercept", "web", ...port])).split("\n");
    assert.equal(cause, `tp: Cannot intercept "web": ${why}`);
    const listed = await tp.ok(["list"]);
    const line =
      `rollout web: not interceptable (traffic-agent not installed): ${why}`;
    assert.ok(listed.split("\n").includes(line), listed);
    assert.match(
      await tp.fails(["intercept", "base", ...port]),
      /Deployment "base" has no pods/,
    );
    assert.deepEqual((await rolloutOf(watch, "web")).spec, before.spec);
    assert.deepEqual(await watch.names("intercepts", "agents"), []);
  },
});
