/** `tp install`: what admins do, and what becomes of it when it fails. */
import assert from "node:assert/strict";
import {
  Laptop,
  makeUser,
  must,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { failToConnect } from "../support/failing.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

const noImage = ["--image", "registry.invalid/tp:none"];

Deno.test("tp install that fails removes what it made, as connect does", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  const told = await tp.fails(["install", ...place.flag, ...noImage]);
  assert.match(
    told,
    /^tp: Cannot start the traffic manager .*(ErrImagePull|Imag)/,
  );
  assert.deepEqual(await place.objects(), []);
});

Deno.test("tp install that is interrupted removes what it made", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const child = laptop.spawn([executable, "install", ...place.flag], {
    stdout: "piped",
    stderr: "null",
  });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: first } = await reader.read();
  assert.match(first!, /^Installing traffic manager/);
  child.kill("SIGINT");
  while (!(await reader.read()).done);
  assert.equal((await child.status).code, 130);
  assert.deepEqual(await place.objects(), []);
});

Deno.test("a manager that cannot start is told and kept; tp install puts it right", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  const manifests = await tp.ok([
    "install",
    "--print",
    ...place.flag,
    ...noImage,
  ]);
  await cluster.apply(manifests);
  await waitFor("image that cannot be pulled", async () => {
    const { stdout } = await cluster.kubectl([
      ...["get", "pod", "traffic-manager-0", "--namespace", place.namespace],
      "--output=jsonpath={.status.containerStatuses[0].state.waiting.reason}",
    ]);
    return /Err|BackOff/.test(stdout) || stdout;
  }, { timeoutMs: 20_000 });

  const objects = await place.objects();
  const told = await failToConnect(laptop, [...place.flag]);
  assert.match(told.cause, /: (ErrImagePull|ImagePullBackOff): /);
  assert.deepEqual(await place.objects(), objects);

  assert.match(
    await tp.ok(["install", ...place.flag]),
    /^Traffic manager ready in namespace "\S+"$/m,
  );
  await using _ = await tp.connected([...place.flag]);
});

Deno.test("who may make objects and neither grant their rights nor remove them is told what is left", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const name = `person-${crypto.randomUUID().slice(0, 8)}`;
  const rules = [{
    apiGroups: ["*"],
    resources: ["*"],
    verbs: ["get", "list", "create", "patch"],
  }];
  const rbac = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    metadata: { name },
  };
  const roleRef = {
    ...{ apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  };
  const subjects = [{ apiGroup: roleRef.apiGroup, kind: "User", name }];
  await cluster.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [
      { ...rbac, kind: "ClusterRole", rules },
      { ...rbac, kind: "ClusterRoleBinding", roleRef, subjects },
    ],
  }));
  try {
    const kubeconfig = await makeUser(cluster, { name });
    const path = await writeLaptopFile(laptop, "/root/person", kubeconfig);
    const flags = ["--kubeconfig", path, ...place.flag];
    const told = await failToConnect(laptop, flags);
    assert.match(
      told.cause,
      /^Cannot install the traffic manager in namespace "manager-.*": user .* may not$/,
    );
    const details = told.details.join("\n");
    assert.match(details, /attempting to grant RBAC permissions/);
    assert.match(details, /^Left in the cluster: namespace "manager-/m);
    assert.match(
      told.remedy,
      /^Ask an admin of the cluster to run `tp install/,
    );
  } finally {
    await must([
      ...[cluster.kubectlPath, "--kubeconfig", cluster.kubeconfigPath],
      ...["delete", "clusterrole,clusterrolebinding", name],
    ]);
  }
});
