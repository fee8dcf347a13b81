/** tp uninstall: agents go, and all of tp goes, whoever is connected, and the cluster is as before. */
import assert from "node:assert/strict";
import { deployIntercepts, Laptop, openCluster } from "../cluster/mod.ts";
import { clusterObjects } from "../support/cluster_objects.ts";
import { groupEnded, withoutTp } from "../support/cluster_without_tp.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";

/** Who answers at the Service `echo`, asked from a laptop that is connected. */
async function who(laptop: Laptop, namespace: string): Promise<string> {
  const url = `http://echo.${namespace}/`;
  const { stdout, stderr } = await laptop.run(["curl", "-sS", "-m", "5", url]);
  return /"who": ?"([^"]+)"/.exec(stdout)?.[1] ?? `${stdout}${stderr}`;
}

Deno.test("tp uninstall --everything leaves the cluster as before, with clients connected and traffic intercepted", async () => {
  const cluster = await openCluster();
  await using namespace = await cluster.namespace("uninstall");
  await deployIntercepts(cluster, namespace.name);
  await using laptop = await Laptop.open(cluster);
  const before = await withoutTp(cluster, new Tp(laptop));
  await using place = await managerPlace(cluster);
  await using other = await Laptop.open(cluster);
  const untouched = await laptop.snapshot();
  const tp = new Tp(laptop);
  const theirs = new Tp(other);
  const where = ["--namespace", namespace.name];
  const install = ["install", "--agent-policy", namespace.name];
  await tp.ok([...install, ...place.flag]);
  const policies = ["get", "networkpolicies", ...where, "--output", "name"];
  assert.match((await cluster.kubectl(policies)).stdout, /traffic-agents-/);
  await tp.ok(["connect", ...place.flag, ...where]);
  const flags = ["--port", "8080:http", "--mount=false"];
  await tp.ok(["intercept", "echo", ...flags]);
  const connection = await theirs.connected([...place.flag, ...where]);
  await theirs.ok(["intercept", "echo-headless", ...flags]);

  const said = await tp.ok(["uninstall", "--everything", ...place.flag]);
  assert.match(said, /^Removing intercept "echo-headless" on StatefulSet/m);
  assert.match(said, /^Removed the agents of 2 workloads$/m);
  assert.match(said, /^Nothing of tp is left in the cluster$/m);
  assert.match(said, /^tp Daemon quitting\.\.\.done$/m);
  await groupEnded(cluster);
  const left = await clusterObjects(cluster);
  assert.deepEqual(left.filter((line) => !before.includes(line)), []);
  assert.deepEqual(before.filter((line) => !left.includes(line)), []);
  assertSameState(await laptop.snapshot(), untouched);

  const status = await theirs.ok(["status"]);
  assert.match(status, /Proxy: +INTERRUPTED/);
  await connection[Symbol.asyncDispose]();
  const again = await tp.ok(["uninstall", "--everything", ...place.flag]);
  assert.match(again, /^Removed the agents of 0 workloads$/m);
  assert.match(again, /^Nothing of tp is left in the cluster$/m);
  assert.match(again, /^Not connected$/m);
});

Deno.test("tp uninstall WORKLOAD takes the agent off that one, --all-agents off all, and the manager stays", async () => {
  const cluster = await openCluster();
  await using namespace = await cluster.namespace("uninstall");
  await deployIntercepts(cluster, namespace.name);
  await using place = await managerPlace(cluster);
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const where = ["--namespace", namespace.name];
  await using _ = await tp.connected([...place.flag, ...where]);
  const withAgents = async () => {
    const { stdout } = await cluster.kubectl([
      ...["get", "pods", ...where, "--selector", "tp.dev/agent=true"],
      ...["--output", "jsonpath={.items[*].metadata.labels.app}"],
    ]);
    return [...new Set(stdout.split(" ").filter(Boolean))].sort();
  };
  for (const name of ["echo", "echo-headless"]) {
    await tp.ok(["intercept", name, "--port", "8080:http", "--mount=false"]);
    await tp.ok(["leave", name]);
  }
  assert.deepEqual(await withAgents(), ["echo", "echo-headless"]);

  const unknown = await tp.fails([
    "uninstall",
    "client",
    ...place.flag,
    ...where,
  ]);
  assert.match(unknown, /no workload of this name has one in namespace/);
  // In the connection's namespace; the context's is another.
  assert.match(
    await tp.ok(["uninstall", "echo", ...place.flag]),
    /^Removed the agent of 1 workload$/m,
  );
  assert.deepEqual(await withAgents(), ["echo-headless"]);
  assert.match(
    await tp.ok(["uninstall", "--all-agents", ...place.flag]),
    /^Removed the agent of 1 workload$/m,
  );
  assert.deepEqual(await withAgents(), []);
  assert.match(await who(laptop, namespace.name), /^echo-/);
  assert.equal((await tp.run(["uninstall"])).code, 2);
});
