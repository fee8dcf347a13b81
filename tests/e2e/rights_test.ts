/** Users without rights are told which, and what an admin would run; with those rights they connect. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  makeUser,
  must,
  openCluster,
} from "../cluster/mod.ts";
import { failToConnect, type Told } from "../support/failing.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

interface Person {
  readonly name: string;
  /** The flag that makes `tp` act as this person. */
  readonly flag: string[];
}

/** Somebody whom the cluster knows and who may do nothing there. */
async function person(cluster: Cluster, laptop: Laptop): Promise<Person> {
  const name = `person-${crypto.randomUUID().slice(0, 8)}`;
  const path = await writeLaptopFile(
    laptop,
    `/root/${name}`,
    await makeUser(cluster, { name }),
  );
  return { name, flag: ["--kubeconfig", path] };
}

/** The command lines that the user is told to have an admin run. */
function adminCommands({ remedy }: Told): string[] {
  assert.match(remedy, /^Ask an admin of the cluster to run `/);
  return [...remedy.matchAll(/`([^`]+)`/g)].map(([, command]) => command!);
}

/** Runs one of them as the administrator on the laptop, where `tp` is the build under test. */
async function runAsAdmin(laptop: Laptop, command: string): Promise<void> {
  const line = command.replace(/^tp /, `${executable} `);
  await must(laptop.command(["sh", "-euc", line]), { timeoutMs: 60_000 });
}

Deno.test("who may not connect is told so, and connects after an admin ran the command told", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  await tp.ok(["install", ...place.flag]);
  const { name, flag } = await person(cluster, laptop);

  const told = await failToConnect(laptop, [...flag, ...place.flag]);
  assert.equal(
    told.cause,
    `Cannot reach the traffic manager in namespace "${place.namespace}": ` +
      `user "${name}" lacks rights in the cluster`,
  );
  assert.deepEqual(told.details, [
    `Missing in namespace "${place.namespace}": get statefulsets, get pods, ` +
    "list and watch events, get and create pods/portforward",
  ]);
  assert.doesNotMatch(told.progress, /Daemon|root/);

  const [install, bind] = adminCommands(told);
  assert.equal(install, `tp install --manager-namespace ${place.namespace}`);
  await runAsAdmin(laptop, bind!);
  await using _ = await tp.connected([...flag, ...place.flag]);
  const page = "verylargejavaservice.default:8080";
  const answer = await laptop.run(["curl", "-sS", "-m", "10", page]);
  assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
});

Deno.test("who may not install a missing manager is told so, and connects after an admin ran the commands told", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const { name, flag } = await person(cluster, laptop);
  await using _rights = await may(cluster, {
    name,
    verbs: "get",
    resources: "pods,statefulsets.apps",
  });

  const told = await failToConnect(laptop, [...flag, ...place.flag]);
  assert.equal(
    told.cause,
    `Cannot install the traffic manager: namespace "${place.namespace}" has ` +
      `none, and user "${name}" may not`,
  );
  const [cluster_, ...others] = told.details;
  assert.match(cluster_!, /^Missing in the cluster: create and patch namesp/);
  assert.match(cluster_!, /create and patch clusterroles/);
  assert.match(others.join("\n"), /create and patch statefulsets/);
  assert.doesNotMatch(told.progress, /Daemon|root|Installing/);
  assert.deepEqual(await place.objects(), []);

  for (const command of adminCommands(told)) await runAsAdmin(laptop, command);
  await using _ = await new Tp(laptop).connected([...flag, ...place.flag]);
});

Deno.test("who may see the manager and not forward a port to it is told so before root is needed", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await new Tp(laptop).ok(["install", ...place.flag]);
  const { name, flag } = await person(cluster, laptop);
  await using _rights = await may(cluster, {
    name,
    verbs: "get",
    resources: "pods,statefulsets.apps",
  });

  const told = await failToConnect(laptop, [...flag, ...place.flag]);
  assert.match(told.details.join("\n"), /get and create pods\/portforward/);
  assert.doesNotMatch(told.progress, /Daemon|root/);
  assert.deepEqual(
    adminCommands(told).map((command) => command.split(" ")[0]),
    ["kubectl"],
  );
});

/** Lets a person do something in all namespaces, within the scope. */
async function may(
  cluster: Cluster,
  { name, verbs, resources }: {
    name: string;
    verbs: string;
    resources: string;
  },
): Promise<AsyncDisposable> {
  const kubectl = async (...args: string[]) => {
    const { code, stderr } = await cluster.kubectl(args);
    assert.equal(code, 0, stderr);
  };
  const role = [`--verb=${verbs}`, `--resource=${resources}`];
  const binding = [`--clusterrole=${name}`, `--user=${name}`];
  await kubectl("create", "clusterrole", name, ...role);
  await kubectl("create", "clusterrolebinding", name, ...binding);
  return {
    [Symbol.asyncDispose]: () =>
      kubectl("delete", "clusterrole,clusterrolebinding", name),
  };
}
