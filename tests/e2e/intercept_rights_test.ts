/** Who may intercept where is Kubernetes' own to say: a matrix of users, namespaces and commands, with real kubeconfigs. */
import assert from "node:assert/strict";
import {
  type Cluster,
  deployIntercepts,
  Laptop,
  makeUser,
  openCluster,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { WorkloadWatch } from "../support/workload_watch.ts";

/** What a user does in a namespace, and what is told of it when it is allowed. */
const commands: Record<string, { args: string[]; told: RegExp }> = {
  "list": {
    args: ["list"],
    told: /^deployment echo: ready to intercept/m,
  },
  "intercept": {
    args: ["intercept", "echo", "--port", "8081:http", "--mount=false"],
    told: /^ {3}State +: ACTIVE$/m,
  },
  "intercept by header": {
    args: [
      ...["intercept", "mine", "--workload", "echo", "--port", "8082:http"],
      ...["--http-header", "x-user=alice", "--mount=false"],
    ],
    told: /^ {3}State +: ACTIVE$/m,
  },
  "replace": {
    args: ["replace", "client", "--mount=false"],
    told: /^ {3}State +: ACTIVE$/m,
  },
  "wiretap": {
    args: [
      ...["wiretap", "tap", "--workload", "echo", "--port", "8083:http"],
      "--mount=false",
    ],
    told: /^ {3}State +: ACTIVE$/m,
  },
  "ingest": {
    args: ["ingest", "echo-number", "--mount=false"],
    told: /^ {3}State +: ACTIVE$/m,
  },
};

/** Names of intercepts that {@link commands} make. */
const names = ["echo", "mine", "client", "tap", "echo-number"];

async function bind(
  cluster: Cluster,
  { namespace, user }: { namespace: string; user: string },
): Promise<void> {
  const { code, stderr } = await cluster.kubectl([
    ...["create", "rolebinding", "intercepts", "--namespace", namespace],
    ...["--clusterrole", "tp-intercept", "--user", user],
  ]);
  assert.equal(code, 0, stderr);
}

Deno.test("a user with rights in one namespace lists and intercepts there, and nowhere else", async (t) => {
  const cluster = await openCluster();
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await managerPlace(cluster));
  const laptop = stack.use(await Laptop.open(cluster));
  const admins = stack.use(await Laptop.open(cluster));
  const inside = stack.use(await cluster.namespace("allowed"));
  const outside = stack.use(await cluster.namespace("forbidden"));
  await deployIntercepts(cluster, inside.name);
  await deployIntercepts(cluster, outside.name);
  const admin = new Tp(admins);
  stack.use(await admin.connected([...place.flag]));

  const user = `alice-${crypto.randomUUID().slice(0, 8)}`;
  const kubeconfig = await writeLaptopFile(
    laptop,
    `/root/${user}`,
    await makeUser(cluster, { name: user }),
  );
  stack.use(await place.grant(`--user=${user}`));
  await bind(cluster, { namespace: inside.name, user });
  const tp = new Tp(laptop);
  const access = ["--kubeconfig", kubeconfig, ...place.flag];
  stack.use(await tp.connected(access));

  const at = ([command = "", ...rest]: string[], namespace: string) => [
    ...[command, ...rest, "--namespace", namespace],
  ];
  for (const [what, { args }] of Object.entries(commands)) {
    await t.step(`${what}: forbidden`, async () => {
      const error = await tp.fails(at(args, outside.name));
      assert.match(error, /^tp: Cannot \w+.* in namespace "forbidden-\w+"/);
      assert.match(error, new RegExp(`user "${user}" `));
      assert.match(
        error,
        /Ask an admin of the cluster to run `kubectl create rolebinding .*--namespace forbidden-\w+ --clusterrole tp-intercept/,
      );
    });
  }
  const watch = new WorkloadWatch(cluster, inside.name);
  const podsOfEcho = async () => {
    await cluster.rolledOut("deployment/echo", { namespace: inside.name });
    const pods = await watch.pods("echo");
    return pods.map(({ metadata }) => metadata.uid).sort();
  };
  const former = await podsOfEcho();
  for (const [what, { args, told }] of Object.entries(commands)) {
    await t.step(`${what}: allowed`, async () => {
      const before = await podsOfEcho();
      assert.match(await tp.ok(at(args, inside.name)), told);
      const after = await podsOfEcho();
      if (what !== "intercept") assert.deepEqual(after, before);
      else assert.equal(after.filter((uid) => former.includes(uid)).length, 0);
    });
  }

  await t.step("nothing came to be where it is forbidden", async () => {
    const { stdout } = await cluster.kubectl([
      ...["get", "intercepts,agents", "--namespace", outside.name],
      ...["--output", "name"],
    ]);
    assert.equal(stdout, "");
  });
  await t.step("who it is of is who is asked by the API server", async () => {
    const { stdout } = await cluster.kubectl([
      ...["get", "intercepts", "--namespace", inside.name],
      ...["--output", "jsonpath={.items[*].spec.owner}"],
    ]);
    assert.deepEqual(new Set(stdout.split(" ")), new Set([user]));
  });
  await t.step("an admin's intercept is not another's to end", async () => {
    await admin.ok([
      ...["intercept", "theirs", "--workload", "echo", "--port", "8084:http"],
      ...["--http-header", "x-user=admin", "--mount=false"],
      ...["--namespace", inside.name],
    ]);
    const list = await tp.ok(["list", "--namespace", inside.name]);
    assert.match(list, /theirs/);
    assert.match(await tp.fails(["leave", "theirs"]), /"theirs" not found/);
    const { stdout } = await cluster.kubectl([
      ...["get", "intercepts", "--namespace", inside.name, "--output", "name"],
    ]);
    const object = stdout.split("\n").find((one) => /\/theirs-/.test(one))!;
    const { stderr } = await cluster.kubectl([
      ...["delete", object, "--namespace", inside.name, "--as", user],
      "--wait=false",
    ]);
    assert.match(stderr, /deleted by its owner, or by who may revoke/);
    // Of an owner that is not there Kubernetes would delete it.
    const gone = { apiVersion: "v1", kind: "ConfigMap", name: "a", uid: "b" };
    const changes = { metadata: { ownerReferences: [gone] } };
    const patched = await cluster.kubectl([
      ...["patch", object, "--namespace", inside.name, "--as", user],
      ...["--type=merge", "--patch", JSON.stringify(changes)],
    ]);
    assert.match(
      patched.stderr,
      /changed by its owner, or by who may revoke/,
    );
    await admin.ok(["leave", "theirs"]);
  });
  await t.step("agents are not the user's to remove", async () => {
    const error = await tp.fails([
      ...["uninstall", "echo", "--namespace", inside.name, ...access],
    ]);
    assert.match(
      error,
      /^tp: Cannot uninstall in namespace "[^"]+": user "alice-[^"]*" lacks rights/,
    );
    assert.match(error, /tp-admin/);
  });
  await t.step(
    "tp leave, and another intercept: no pod is replaced",
    async () => {
      const before = await podsOfEcho();
      for (const name of names) await tp.ok(["leave", name]);
      await tp.ok(at(commands["intercept"]!.args, inside.name));
      assert.deepEqual(await podsOfEcho(), before);
      await tp.ok(["leave", "echo"]);
    },
  );
});
