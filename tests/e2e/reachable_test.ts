/** What a laptop reaches when some namespaces are mapped alone. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  makeUser,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import {
  assertRefused,
  dig,
  get,
  query,
  statusOf,
} from "../support/reached.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySmall } from "../support/small_workloads.ts";

/** How long names and addresses that come to be may be unknown to a laptop. */
const soonMs = 2_000;
/** The addresses of a workload's Service and of its one pod. */
async function addressesOf(cluster: Cluster, namespace: string) {
  const scope = ["-n", namespace, "get"];
  const service = await query(cluster, [
    ...[...scope, "service", "web", "-o", "jsonpath={.spec.clusterIPs[*]}"],
  ]);
  const pod = await query(cluster, [
    ...[...scope, "pods", "-l", "app=web"],
    ...["-o", "jsonpath={.items[*].status.podIPs[*].ip}"],
  ]);
  return { services: service.split(" "), pods: pod.split(" ") };
}

/** Somebody who may connect, and read pods in one namespace. */
async function userOf(
  cluster: Cluster,
  { laptop, namespace }: { laptop: Laptop; namespace: string },
) {
  const name = `person-${crypto.randomUUID().slice(0, 8)}`;
  const scope = ["-n", namespace, "create"];
  const role = ["--verb=get,list", "--resource=pods,services"];
  await query(cluster, [...scope, "role", name, ...role]);
  await query(cluster, [
    ...[...scope, "rolebinding", name, `--role=${name}`, `--user=${name}`],
  ]);
  const kubeconfig = await writeLaptopFile(
    laptop,
    `/root/${name}`,
    await makeUser(cluster, { name }),
  );
  return { name, flag: ["--kubeconfig", kubeconfig, "-n", namespace] };
}

Deno.test("--mapped-namespaces: who has rights in one namespace reaches it by names and addresses, and no other", async (t) => {
  const cluster = await openCluster();
  await using one = await cluster.namespace("mapped");
  await using other = await cluster.namespace("other");
  for (const { name } of [one, other]) {
    await deploySmall(cluster, name, { name: "web" });
  }
  const own = await addressesOf(cluster, one.name);
  const others = await addressesOf(cluster, other.name);
  const clusterDns = await query(cluster, [
    ...["-n", "kube-system", "get", "service", "kube-dns"],
    ...["-o", "jsonpath={.spec.clusterIP}"],
  ]);
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  await tp.ok(["install", ...place.flag]);
  const user = await userOf(cluster, { laptop, namespace: one.name });
  await using _grant = await place.grant(`--user=${user.name}`);
  const before = await laptop.snapshot();

  const flags = [...user.flag, ...place.flag];
  const mapped = ["--mapped-namespaces", "absent-for-ever"];
  const said = await tp.ok(["connect", ...flags, ...mapped]);
  assert.match(
    said,
    /^Warning: namespace "absent-for-ever" does not exist; nothing in it is /m,
  );
  await t.step("the namespace is reached", async () => {
    const names = ["web", `web.${one.name}`, `web.${one.name}.svc`];
    for (const host of [...names, ...own.services]) {
      assert.equal((await get(laptop, host)).code, 0, host);
    }
    for (const host of own.pods) {
      assert.equal((await get(laptop, host, 8080)).code, 0, host);
    }
    const [service] = own.services;
    assert.equal(
      await dig(laptop, "-x", service!),
      `web.${one.name}.svc.cluster.local.`,
    );
  });
  await t.step("names of others are nobody's", async () => {
    const full = `web.${other.name}.svc.cluster.local`;
    for (const name of [`web.${other.name}`, `web.${other.name}.svc`, full]) {
      assert.equal(await dig(laptop, name), "", name);
      const { code } = await laptop.run(["getent", "hosts", name]);
      assert.equal(code, 2, name);
    }
    for (const ip of [...others.services, ...others.pods]) {
      assert.equal(await dig(laptop, "-x", ip), "", ip);
    }
  });
  await t.step("addresses of others, and nobody's, are refused", async () => {
    for (const ip of [...others.services, "10.96.255.254"]) {
      await assertRefused(laptop, ip);
    }
    for (const ip of [...others.pods, "10.244.0.254"]) {
      await assertRefused(laptop, ip, 8080);
    }
    const { stdout } = await laptop.run(
      ["dig", "+time=5", "+tries=1", `@${clusterDns}`, `web.${one.name}.svc`],
    );
    assert.match(stdout, /communications error to \S+: host unreachable/);
    const [pod] = others.pods;
    const ping = await laptop.run(["ping", "-c", "1", "-W", "3", pod!]);
    assert.match(ping.stdout, /Packet filtered/);
  });
  await t.step("what comes to be is reached soon", async () => {
    await query(cluster, [
      ...["-n", one.name, "expose", "deployment/web"],
      ...["--name=late", "--port=80", "--target-port=8080"],
    ]);
    await waitFor("the Service", async () => {
      const { code, text } = await get(laptop, `late.${one.name}`);
      return code === 0 || text;
    }, { timeoutMs: soonMs, everyMs: 50 });
    const pods = ["-n", one.name, "delete", "pods", "-l", "app=web", "--now"];
    await query(cluster, pods);
    await cluster.rolledOut("deployment/web", { namespace: one.name });
    const ip = (await addressesOf(cluster, one.name)).pods
      .find((ip) => !own.pods.includes(ip));
    await waitFor("the pod", async () => {
      const { code, text } = await get(laptop, ip!, 8080);
      return code === 0 || text;
    }, { timeoutMs: soonMs, everyMs: 50 });
  });
  await t.step("tp status tells them, and others are refused", async () => {
    const { user_daemon: told } = await statusOf(tp);
    const all = ["absent-for-ever", one.name];
    assert.deepEqual(told.mapped_namespaces, all);
    assert.match(
      await tp.ok(["status"]),
      new RegExp(`Mapped: +${all.join(", ")}$`, "m"),
    );
    assert.match(
      await tp.fails(["connect", ...flags, "--mapped-namespaces", other.name]),
      /^tp: Cannot connect with other namespace settings/,
    );
    assert.match(await tp.ok(["connect", ...flags, ...mapped]), /^Already/m);
  });
  await t.step("tp run has the same", async () => {
    const script = `curl -sS -m 10 -o /dev/null -w '%{http_code}\\n' web &&
      curl -sS -m 10 ${others.services[0]}`;
    const { stdout, stderr, code } = await tp.run(
      ["run", ...flags, "--mapped-namespaces", one.name, "--"]
        .concat("sh", "-c", script),
    );
    assert.equal(stdout, "200\n", stderr);
    assert.equal(code, 7, stderr);
  });
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});
