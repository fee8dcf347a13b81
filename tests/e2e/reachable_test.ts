/** What a laptop reaches: some namespaces alone, addresses outside of the cluster through it, and some never. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  makeUser,
  openCluster,
  outside,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySmall } from "../support/small_workloads.ts";
import { besideAddresses, besidePage, openBeside } from "./beside_node.ts";

const java = "verylargejavaservice.default";

/** How long names and addresses that come to be may be unknown to a laptop. */
const soonMs = 2_000;
/** What is refused is refused in less. */
const refusedMs = 1_500;

interface Got {
  readonly text: string;
  readonly code: number;
  readonly tookMs: number;
}

async function get(laptop: Laptop, host: string, port = 80): Promise<Got> {
  const name = host.includes(":") ? `[${host}]` : host;
  const startMs = performance.now();
  const { stdout, stderr, code } = await laptop.run(
    ["curl", "-sS", "-m", "10", `http://${name}:${port}/`],
  );
  const tookMs = Math.round(performance.now() - startMs);
  return { text: stdout + stderr, code, tookMs };
}

async function assertRefused(
  laptop: Laptop,
  host: string,
  port?: number,
): Promise<void> {
  const { code, text, tookMs } = await get(laptop, host, port);
  assert.equal(code, 7, `${host}: ${text}`);
  assert.ok(tookMs < refusedMs, `${host} refused after ${tookMs} ms`);
  say(`${host}: ${text.trim()}`);
}

async function dig(laptop: Laptop, ...args: string[]): Promise<string> {
  const { stdout } = await laptop.run(
    ["dig", "+time=3", "+tries=1", "+short", ...args],
  );
  return stdout.trim();
}

async function query(cluster: Cluster, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

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

async function statusOf(tp: Tp) {
  return JSON.parse(await tp.ok(["status", "--output", "json"]));
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

/** A Service whose addresses are told by hand. */
async function tellAddress(
  cluster: Cluster,
  { namespace, ip }: { namespace: string; ip: string },
): Promise<void> {
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: db, namespace: ${namespace} }
spec: { clusterIP: None, ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: db
  namespace: ${namespace}
  labels: { kubernetes.io/service-name: db }
addressType: IPv4
ports: [{ name: http, port: 80 }]
endpoints: [{ addresses: [${ip}], conditions: { ready: true } }]
`);
}

Deno.test("--also-proxy: what only the cluster reaches, by subnet, address and a name whose address changes", async (t) => {
  const cluster = await openCluster();
  await using _beside = await openBeside(cluster);
  await using own = await cluster.namespace("also");
  const [first, second] = besideAddresses;
  await tellAddress(cluster, { namespace: own.name, ip: first });
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();

  await t.step("without the flag nobody is there", async () => {
    await using _ = await tp.connected();
    assert.notEqual((await get(laptop, first)).code, 0);
  });
  await t.step("by subnet, but for an address", async () => {
    await using _ = await tp.connected(
      ["--also-proxy", "203.0.113.0/24", "--never-proxy", second],
    );
    assert.equal((await get(laptop, first)).text, besidePage);
    assert.notEqual((await get(laptop, second)).code, 0);
    const { root_daemon: told } = await statusOf(tp);
    assert.deepEqual(told.also_proxy_subnets, ["203.0.113.0/24"]);
    assert.deepEqual(told.never_proxy_subnets, [`${second}/32`]);
    const text = await tp.ok(["status"]);
    assert.match(text, /Also proxied: +203\.0\.113\.0\/24$/m);
    assert.match(text, new RegExp(`Never proxied: +${second}/32$`, "m"));
    assert.match(
      await tp.fails(["connect", "--also-proxy", first]),
      /^tp: Cannot connect with other subnet settings/,
    );
  });
  await t.step("the narrower one counts, in any order of flags", async () => {
    await using _ = await tp.connected(
      ["--never-proxy", "203.0.113.0/24", "--also-proxy", `${second},10.9.9.9`],
    );
    assert.equal((await get(laptop, second)).text, besidePage);
    assert.notEqual((await get(laptop, first)).code, 0);
  });
  await t.step("by name, at whatever address it has", async () => {
    const name = `db.${own.name}`;
    const said = await tp.ok(
      ["connect", "--also-proxy", name, "--also-proxy", "nobody.example"],
    );
    assert.match(
      said,
      /^Warning: "nobody\.example" of --also-proxy has no address yet$/m,
    );
    assert.equal((await get(laptop, name)).text, besidePage);
    assert.notEqual((await get(laptop, second)).code, 0);
    assert.match(
      await tp.ok(["status"]),
      new RegExp(
        `Also proxied: +${first} \\(${name}\\), nobody\\.example \\(no addr`,
      ),
    );
    const startMs = performance.now();
    await tellAddress(cluster, { namespace: own.name, ip: second });
    await waitFor("the other address", async () => {
      const told = await dig(laptop, name);
      return told === second || told;
    }, { timeoutMs: 15_000, everyMs: 20 });
    const tookMs = Math.round(performance.now() - startMs);
    say(`the name's other address was told after ${tookMs} ms`);
    const { text, tookMs: gotMs } = await get(laptop, second);
    assert.equal(text, besidePage);
    say(`and answered at once, within ${gotMs} ms`);
    const { root_daemon: told } = await statusOf(tp);
    assert.ok(told.subnets.includes(`${second}/32`), told.subnets.join());
    await tp.ok(["quit"]);
  });
  await t.step("tp run has the same", async () => {
    const { stdout, stderr } = await tp.run(
      ["run", "--also-proxy", `db.${own.name}`, "--"]
        .concat("curl", "-sS", "-m", "10", `db.${own.name}`),
    );
    assert.equal(stdout, besidePage, stderr);
  });
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("--never-proxy: one service is left to the host, by its address or its name", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const ip = await query(cluster, [
    ...["get", "service", "verylargejavaservice"],
    ...["-o", "jsonpath={.spec.clusterIP}"],
  ]);
  for (const asked of [ip, java]) {
    await using _ = await tp.connected(["--never-proxy", asked]);
    assert.equal(await dig(laptop, java), ip);
    const { code, text } = await get(laptop, java, 8080);
    assert.equal(code, 7, text);
    const others = await laptop.run(["redis-cli", "-h", "redis", "ping"]);
    assert.equal(others.stdout, "PONG\n", others.stderr);
    const { root_daemon: told } = await statusOf(tp);
    assert.deepEqual(told.never_proxy_subnets, [`${ip}/32`]);
    assert.ok(!told.subnets.includes("10.96.0.0/16"));
  }
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("--also-proxy leaves the API server and the host's nameservers where they are", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const { host: apiServer } = cluster.apiServerAddress;
  const nameserver = outside.dns.ipv4;
  await tp.ok(
    ["connect", "--also-proxy", `${apiServer}/16,${nameserver}/24`],
  );
  const device = async (ip: string) => {
    const { stdout } = await laptop.run(["ip", "route", "get", ip]);
    return /dev (\S+)/.exec(stdout)?.[1];
  };
  for (const ip of [apiServer, nameserver]) {
    assert.notEqual(await device(ip), "tp0", ip);
  }
  assert.equal(await device(outside.web.ipv4), "tp0");
  assert.equal(await dig(laptop, outside.name), outside.web.ipv4);
  assert.equal((await get(laptop, java, 8080)).code, 0);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("flags that make no sense are refused in a sentence, and nothing is changed", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const refused: [flag: string, value: string, cause: string][] = [
    ["--also-proxy", "10.0.0.0/40", "it is no subnet like 10.96.0.0/16, addr"],
    ["--also-proxy", "1.2.3.4,0.0.0.0/0", "it is a default route"],
    ["--never-proxy", "::/0", "it is a default route"],
    ["--also-proxy", "169.254.169.254", "such addresses are each host's own"],
    ["--mapped-namespaces", "a_b", "it is no name of a namespace"],
  ];
  for (const [flag, value, cause] of refused) {
    for (const command of [["connect"], ["run"]]) {
      const rest = command[0] === "run" ? ["--", "true"] : [];
      const told = await tp.run([...command, flag, value, ...rest]);
      assert.equal(told.code, 2, told.stderr);
      assert.ok(told.stderr.startsWith(`tp: ${flag}: Cannot `), told.stderr);
      assert.ok(told.stderr.includes(`": ${cause}`), told.stderr);
    }
  }
  const both = ["--also-proxy", "1.2.3.4", "--never-proxy", "1.2.3.4"];
  assert.match(
    await tp.fails(["connect", ...both]),
    /^tp: Cannot use "1\.2\.3\.4": it cannot be proxied both also and never$/m,
  );
  assertSameState(await laptop.snapshot(), before);
});
