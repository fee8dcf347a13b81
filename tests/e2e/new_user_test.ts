/** The whole way of somebody who has never used tp: one command brings the traffic, another gives it back, a third takes all away. */
import assert from "node:assert/strict";
import {
  accounts,
  Laptop,
  must,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { clusterObjects } from "../support/cluster_objects.ts";
import { groupEnded, withoutTp } from "../support/cluster_without_tp.ts";
import { Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySampleApplication } from "../support/sample_application.ts";
import { hasAgent, WorkloadWatch } from "../support/workload_watch.ts";

const user = "tp-test";
const { uid, home } = accounts[user];
const name = "dataprocessingservice";
const serverPath = new URL("../app/server.js", import.meta.url).pathname;

/** For each of the three commands, the images' start and rollouts included. */
const limitMs = 100_000;

/** The color on the page, as the laptop's user sees it. */
async function color(laptop: Laptop, namespace: string): Promise<string> {
  const url = `verylargejavaservice.${namespace}:8080`;
  const { stdout, stderr } = await laptop.run(
    ["curl", "-sS", "-m", "10", url],
    { user },
  );
  return /service says: (\w+)/.exec(stdout)?.[1] ?? stdout + stderr;
}

/** The process of node that runs this program, on the laptop. */
async function processOf(laptop: Laptop, command: string): Promise<number> {
  for (const pid of await laptop.pids()) {
    const text = await Deno.readTextFile(`/proc/${pid}/cmdline`)
      .catch(() => "");
    const words = text.replaceAll("\0", " ").trim();
    if (/^\S*node /.test(words) && words.endsWith(command)) return pid;
  }
  throw new Error(`no process of node runs "${command}"`);
}

Deno.test("a new user intercepts by one command, gives the traffic back, and takes all of tp away", async () => {
  const cluster = await openCluster();
  await using stack = new AsyncDisposableStack();
  const laptop = stack.use(await Laptop.open(cluster));
  const { name: namespace } = stack.use(await cluster.namespace("shop"));
  await deploySampleApplication(cluster, namespace);
  const admins = stack.use(await Laptop.open(cluster));
  const before = await withoutTp(cluster, new Tp(admins));
  await must(laptop.command([
    ...["kubectl", "config", "set-context", "--current"],
    `--namespace=${namespace}`,
  ], { user }));
  const untouched = await laptop.snapshot();
  const tp = new Tp(laptop, { user });
  stack.defer(() => tp.run(["uninstall", "--everything"]).then(() => {}));
  const beganMs = performance.now();
  let lastMs = beganMs;
  const took = () => {
    const ms = Math.round(performance.now() - lastMs);
    lastMs += ms;
    assert.ok(ms < limitMs, `${ms} ms`);
    return ms;
  };

  const command = tp.start([
    ...["intercept", name, "--port", "3000", "--env-file", "e", "--"],
    ...["node", serverPath],
  ], { cwd: home, stdout: "null", stderr: "piped" });
  const words = new Response(command.stderr).text();
  let isOver = false;
  command.status.then(() => isOver = true);
  stack.defer(() => command.status.then(() => {}));
  stack.defer(() => {
    try {
      command.kill("SIGTERM");
    } catch { /* it has ended */ }
  });
  await waitFor("the laptop's page", async () => {
    if (isOver) throw new Error(await words);
    const told = await color(laptop, namespace);
    return told === "violet" || told;
  }, { timeoutMs: limitMs, everyMs: 500 });
  const interceptMs = took();

  const { stdout } = await laptop.run(
    ["sh", "-c", "stat -c '%a %U' e && cat e"],
    { cwd: home },
  );
  const [access, ...lines] = stdout.split("\n");
  assert.equal(access, `600 ${user}`);
  const told = (environment: readonly string[]) => {
    for (const line of ["COLOR=green", `TELEPRESENCE_CONTAINER=${name}`]) {
      assert.ok(environment.includes(line), environment.join("\n"));
    }
    const host = /^KUBERNETES_SERVICE_HOST=/;
    assert.ok(environment.some((line) => host.test(line)), "no cluster");
  };
  told(lines);
  const server = await processOf(laptop, serverPath);
  told((await Deno.readTextFile(`/proc/${server}/environ`)).split("\0"));
  const status = await Deno.readTextFile(`/proc/${server}/status`);
  assert.match(status, new RegExp(`^Uid:(\t${uid}){4}$`, "m"));

  await tp.ok(["leave", name]);
  assert.equal(await color(laptop, namespace), "green");
  const leaveMs = took();
  command.kill("SIGTERM");
  await command.status;
  await words;

  const said = await tp.ok(["uninstall", "--everything"]);
  assert.match(said, /^Removed the agent of 1 workload$/m);
  assert.match(said, /^Nothing of tp is left in the cluster$/m);
  const uninstallMs = took();
  await groupEnded(cluster);
  const left = await clusterObjects(cluster);
  assert.deepEqual(left.filter((line) => !before.includes(line)), []);
  assert.deepEqual(before.filter((line) => !left.includes(line)), []);
  await cluster.rolledOut(`deployment/${name}`, { namespace });
  const pods = await new WorkloadWatch(cluster, namespace).pods(name);
  assert.deepEqual(pods.map(hasAgent), [false]);
  await laptop.run(["rm", "e"], { cwd: home, user });
  assertSameState(await laptop.snapshot(), untouched);
  say(
    `of a new user: the laptop's page ${interceptMs} ms after tp intercept; ` +
      `the app's again ${leaveMs} ms after tp leave; all gone ${uninstallMs} ms after tp uninstall`,
  );
});
