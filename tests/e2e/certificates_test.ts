/** The manager's authorities change: pods get agents, and those that are there go on. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  appBinary,
  atWrongTime,
  type Cluster,
  must,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { openPlace, port } from "../support/intercept_place.ts";
import { ends, lifeOf, succeeded } from "../support/manager_pods.ts";
import type { ManagerPlace } from "../support/manager_place.ts";
import { sampleService } from "../support/sample_application.ts";
import { deploySmall } from "../support/small_workloads.ts";
import { hasAgent, isReady } from "../support/workload_watch.ts";

const name = "web";
const managerPod = "traffic-manager-0";
const secret = "secret/traffic-manager-ca";
/** The manager looks once a minute. */
const rotationLimitMs = 75_000;
/** The next authority becomes the present one a year after it was made. */
const agedSeconds = 366 * 86_400;
const asked = 20;

interface Authorities {
  readonly "present.crt": string;
  readonly "next.crt": string;
  readonly "next.key": string;
}

/** What the Secret holds. */
async function authorities(
  { kubectl }: Cluster,
  { namespace }: ManagerPlace,
): Promise<Authorities> {
  const get = ["get", secret, "--namespace", namespace, "--output=json"];
  const { code, stdout, stderr } = await kubectl(get);
  assert.equal(code, 0, stderr);
  const data: Record<string, string> = JSON.parse(stdout).data;
  return Object.fromEntries(
    Object.entries(data).map(([field, text]) => [field, atob(text)]),
  ) as unknown as Authorities;
}

/** An authority of the same name and key, made a year ago: who trusts one trusts what the other has signed. */
async function aged(cert: string, key: string): Promise<string> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, key);
  const subject = new X509Certificate(cert).subject.replace(/^CN=/, "/CN=");
  const config = "[req]\ndistinguished_name=name\n[name]\n";
  const made = await must([
    ...await atWrongTime(-agedSeconds),
    ...["openssl", "req", "-x509", "-config", "/dev/stdin", "-key", file],
    ...["-subj", subject, "-days", "790"],
    ...["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"],
    ...["-addext", "keyUsage=critical,keyCertSign"],
  ], { stdin: config });
  await Deno.remove(file);
  return made;
}

/** Makes the manager's next authority a year old, and waits until it is the present one. */
async function handOver(
  cluster: Cluster,
  manager: ManagerPlace,
): Promise<{ present: string; bundle: string }> {
  const before = await authorities(cluster, manager);
  const next = await aged(before["next.crt"], before["next.key"]);
  const beganMs = performance.now();
  const patch = { data: { "next.crt": btoa(next) } };
  const { code, stderr } = await cluster.kubectl([
    ...["patch", secret, "--namespace", manager.namespace],
    ...["--patch", JSON.stringify(patch)],
  ]);
  assert.equal(code, 0, stderr);
  let bundle = "";
  await waitFor("another authority", async () => {
    const now = await authorities(cluster, manager);
    bundle = now["present.crt"] + now["next.crt"];
    return now["present.crt"] === next || "the former one is present";
  }, { timeoutMs: rotationLimitMs, everyMs: 500 });
  const ms = Math.round(performance.now() - beganMs);
  say(`another authority after ${ms} ms`);
  return { present: next, bundle };
}

Deno.test("the manager hands over to its next authority: new pods get an agent, and agents that were there go on, also with the next manager", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, manager, namespace, tp, watch } = place;
  await deploySmall(cluster, namespace, { name });
  const server = laptop.spawn(sampleService(await appBinary(), "who"), {
    ...{ env: { WHO: "laptop" }, stderr: "null" },
  });
  /** Who answered, of as many requests as reach each pod. */
  const answered = async () => {
    const { stdout } = await laptop.run([
      ...["curl", "-sS", "-m", "5", "-w", "%header{x-who}\n"],
      ...["-H", "connection: close", "-o", "/dev/null"],
      `http://${name}.${namespace}/?[1-${asked}]`,
    ]);
    return [...new Set(stdout.split("\n").filter(Boolean))];
  };
  const answers = (who: RegExp) =>
    waitFor("answers", async () => {
      const told = await answered();
      return told.length > 0 && told.every((one) => who.test(one)) ||
        JSON.stringify(told);
    }, { timeoutMs: 10_000 });
  const uids = async () =>
    (await watch.pods(name)).map(({ metadata }) => metadata.uid).sort();
  const trusted = () =>
    watch.kubectl([
      ...["get", "pods", `--selector=app=${name}`],
      ...["--sort-by=.metadata.creationTimestamp", "--output"],
      "jsonpath={range .items[*]}{.metadata.annotations.tp\\.dev/manager-ca}{'|'}{end}",
    ]).then((told) => told.split("|").slice(0, -1));

  /** Another manager in the place of this one, which does not see what happens `first`. */
  const replaceManager = async (first?: () => Promise<unknown>) => {
    const life = await lifeOf(cluster, manager, managerPod);
    await first?.();
    await ends[1]!.bring(cluster, manager, managerPod);
    await succeeded(cluster, manager, { pod: managerPod, life: life! });
  };
  const followOn = async () => {
    await answers(/^laptop$/);
    await tp.ok(["leave", name]);
    await answers(/^web-/);
    await tp.ok(["intercept", name, ...port]);
    await answers(/^laptop$/);
  };

  await tp.ok(["intercept", name, ...port]);
  await answers(/^laptop$/);
  const before = await authorities(cluster, manager);
  const bundleBefore = before["present.crt"] + before["next.crt"];
  await waitFor("one pod", async () => (await trusted()).length === 1 || "two");
  assert.deepEqual(await trusted(), [bundleBefore]);

  const { present: next, bundle } = await handOver(cluster, manager);
  await waitFor("trust of the API server", async () => {
    const told = await watch.kubectl([
      ...["get", "mutatingwebhookconfiguration"],
      ...[`traffic-manager-${manager.namespace}`, "--output"],
      "jsonpath={.webhooks[0].clientConfig.caBundle}",
    ]);
    return atob(told) === bundle || "it trusts the former ones";
  });

  await t.step("agents that were there go on", () => answers(/^laptop$/));
  await t.step("a further pod gets an agent, which is heard", async () => {
    await watch.kubectl(["scale", "deployment", name, "--replicas=2"]);
    await waitFor("two pods", async () => {
      const pods = await watch.pods(name);
      return pods.filter(isReady).length === 2 || `${pods.length}`;
    }, { timeoutMs: 30_000 });
    assert.deepEqual((await watch.pods(name)).map(hasAgent), [true, true]);
    assert.deepEqual(await trusted(), [bundleBefore, bundle]);
    await answers(/^laptop$/);
  });
  await t.step("both pods' agents follow the next manager", async () => {
    const pods = await uids();
    await replaceManager();
    await followOn();
    assert.deepEqual(await uids(), pods);
    assert.equal((await authorities(cluster, manager))["present.crt"], next);
  });
  await t.step(
    "they are older than both authorities, and follow on",
    async () => {
      const pods = await uids();
      const { bundle } = await handOver(cluster, manager);
      const [oldest] = await trusted();
      assert.equal(oldest, bundleBefore);
      for (const cert of bundle.split(/(?=-----BEGIN)/)) {
        assert.ok(!bundleBefore.includes(cert));
      }
      await replaceManager();
      await followOn();
      assert.deepEqual(await uids(), pods);
    },
  );
  await t.step("all is lost: pods are replaced once more", async () => {
    const pods = await uids();
    await replaceManager(() =>
      watch.kubectl(["delete", secret, "--namespace", manager.namespace])
    );
    await waitFor("other pods", async () => {
      const now = await uids();
      return now.every((uid) => !pods.includes(uid)) || JSON.stringify(now);
    }, { timeoutMs: 30_000 });
    await answers(/^laptop$/);
    await tp.ok(["leave", name]);
    await answers(/^web-/);
  });
  server.kill();
  await server.status;
});
