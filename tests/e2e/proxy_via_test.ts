/** `--proxy-via`: what only one pod reaches, a laptop does, by the agent beside it, if the cluster lets its user. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  makeUser,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySmall } from "../support/small_workloads.ts";

/** On the loopback device of each pod of `inner`: nobody else has a way to it. */
const ip = "203.0.113.77";
const subnet = "203.0.113.0/24";
const via = ["--proxy-via", `${subnet}=inner`];
/** What an agent that cannot be had may take to be told of. */
const toldMs = 5_000;

/** `inner`, and a name `company` that leads to what only its pods reach. */
async function deploy(cluster: Cluster, namespace: string): Promise<void> {
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  await deploySmall(cluster, namespace, {
    name: "inner",
    pod: {
      initContainers: [{
        ...{ name: "address", image: `${registry}/tools:1` },
        command: ["/bin/sh", "-euc", `ip addr add ${ip}/32 dev lo`],
        securityContext: { capabilities: { add: ["NET_ADMIN"] } },
      }],
    },
  });
  const ports = [{ name: "http", port: 8080 }];
  const metadata = { name: "company", namespace };
  const items = [{
    ...{ apiVersion: "v1", kind: "Service", metadata },
    spec: { clusterIP: "None", ports },
  }, {
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
    metadata: {
      ...metadata,
      labels: { "kubernetes.io/service-name": "company" },
    },
    ...{ addressType: "IPv4", ports },
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
  }];
  await cluster.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
}

Deno.test("--proxy-via dials in a workload's pod what only that reaches, and only for who may", async (t) => {
  const cluster = await openCluster();
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await managerPlace(cluster));
  const laptop = stack.use(await Laptop.open(cluster));
  const { name: namespace } = stack.use(await cluster.namespace("via"));
  await deploy(cluster, namespace);
  const tp = new Tp(laptop);
  const flags = [...place.flag, "--namespace", namespace];
  const host = `company.${namespace}`;
  const get = async (kind: string, path: string) => {
    const { stdout } = await cluster.kubectl([
      ...["get", kind, "--namespace", namespace],
      ...["--output", `jsonpath=${path}`],
    ]);
    return stdout.trim();
  };
  /** Of the one that is there to stay. */
  const podName = async () => {
    const path =
      "{range .items[*]}{.metadata.deletionTimestamp},{.metadata.name} {end}";
    const names = (await get("pods", path)).split(" ");
    return names.find((line) => line.startsWith(","))?.slice(1) ?? "";
  };
  const ask = (at: string, path = "/") =>
    laptop.run(["curl", "-sS", "-m", "3", `http://${at}:8080${path}`]);
  const answers = async (at: string, path = "/") => {
    const { stdout, stderr } = await ask(at, path);
    assert.match(stdout, /^\{/, stderr);
    return JSON.parse(stdout);
  };
  /** What comes of a minute of events. */
  const listen = () =>
    laptop.run(
      ["curl", "-sSN", `http://${host}:8080/sse?count=600&every=100`],
      { timeoutMs: 90_000 },
    );
  const brokenOff = async (stream: ReturnType<typeof listen>) => {
    const { code, stdout, stderr } = await stream;
    assert.match(stdout, /^data: /m, stderr);
    assert.notEqual(code, 0);
  };
  /** Says something there, and the first line of what comes back. */
  const speak = async (protocol: "tcp" | "udp", port: number) => {
    const { stdout, stderr } = await laptop.run([
      ...["bash", "-c"],
      `exec 3<>/dev/${protocol}/${host}/${port}; echo hello >&3; timeout 5 head -n 1 <&3`,
    ]);
    return stdout.trim() || stderr;
  };
  const before = await laptop.snapshot();
  let virtual = "";

  await t.step("from the manager's pod there is no way to it", async () => {
    await using _ = await tp.connected([...flags, "--vnat", subnet]);
    assert.notEqual((await ask(host)).code, 0);
  });
  await tp.ok(["connect", ...flags, ...via]);
  await t.step("by name, and by the virtual address of it", async () => {
    const dig = ["dig", "+short", "+time=3", `${host}.svc.cluster.local`];
    virtual = (await laptop.run(dig)).stdout.trim();
    assert.match(virtual, /^(198\.1[89]|246\.246)\./);
    const pod = await podName();
    assert.equal((await answers(host)).who, pod);
    const seen = await answers(virtual, "/elsewhere");
    assert.deepEqual([seen.who, seen.path], [pod, "/elsewhere"]);
    assert.equal(seen.from.split(":")[0], ip, "the pod itself has dialled");
  });
  await t.step("TCP that speaks first, UDP, and a closed port", async () => {
    const pod = await podName();
    assert.equal(await speak("tcp", 7000), pod);
    assert.equal(await speak("udp", 5005), `${pod} hello`);
    assert.match(await speak("tcp", 7001), /Connection refused/);
  });
  await t.step("ping is not carried, and told so", async () => {
    const ping = ["ping", "-n", "-c", "1", "-W", "1", virtual];
    const { code, stdout } = await laptop.run(ping);
    assert.equal(code, 1);
    assert.match(stdout, /Packet filtered/);
  });
  await t.step("tp list, tp status and kubectl tell of it", async () => {
    const list = await tp.ok(["list"]);
    assert.match(list, /^deployment inner: proxied via$/m);
    assert.match(list, /Proxy-via name *: proxy-via-inner$/m);
    assert.match(list, new RegExp(`Dialling *: ${subnet}$`, "m"));
    assert.match(await tp.ok(["status"]), /Proxied via: +1 total/);
    assert.equal(
      await get("intercepts", "{.items[*].spec['mode','subnets']}"),
      `proxy-via ["${subnet}"]`,
    );
  });
  await t.step("another pod takes over, open connections break", async () => {
    const old = await podName();
    const stream = listen();
    // It is under way.
    assert.equal((await answers(host)).who, old);
    await cluster.kubectl([
      ...["delete", "pod", old, "--namespace", namespace, "--wait=false"],
    ]);
    await waitFor("another pod to dial", async () => {
      const { stdout, stderr } = await ask(host);
      const who = stdout ? JSON.parse(stdout).who : stderr;
      return who !== old && who === await podName() || who;
    });
    await brokenOff(stream);
  });
  await t.step("who deletes the object ends it, at once", async () => {
    const stream = listen();
    // It is under way.
    assert.equal((await answers(host)).who, await podName());
    const startedAt = performance.now();
    await cluster.kubectl([
      ...["delete", "intercepts", "--all", "--namespace", namespace],
    ]);
    await brokenOff(stream);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < toldMs, `${tookMs} ms`);
    assert.match((await ask(host)).stderr, /Failed to connect|No route/);
    assert.doesNotMatch(await tp.ok(["list"]), /proxy-via/);
  });
  await t.step(
    "another namespace and the word also; after tp quit nothing is left",
    async () => {
      await tp.ok(["quit"]);
      // As it may stand in the settings, too.
      const of = [`also=${namespace}/deployment/inner`, "service=local"];
      const TP_CONFIG = await writeLaptopFile(
        laptop,
        "/root/via.yml",
        JSON.stringify({ routing: { proxyVia: of } }),
      );
      const also = ["--also-proxy", ip];
      await tp.ok(["connect", ...place.flag, ...also], { env: { TP_CONFIG } });
      await laptop.run(["rm", TP_CONFIG]);
      assert.equal((await answers(host)).who, await podName());
      assert.equal(
        await get("intercepts", "{.items[*].spec.subnets}"),
        `["${ip}/32"]`,
      );
      await tp.ok(["quit"]);
      assert.equal(await get("intercepts", "{.items[*].metadata.name}"), "");
      assertSameState(await laptop.snapshot(), before);
    },
  );

  const fails = async (args: string[]) => {
    const startedAt = performance.now();
    const error = await tp.fails(["connect", ...place.flag, ...args]);
    const tookMs = Math.round(performance.now() - startedAt);
    say(`told in ${tookMs} ms: ${error.trim()}`);
    assert.ok(tookMs < toldMs, `${tookMs} ms`);
    assert.equal(await get("intercepts", "{.items[*].metadata.name}"), "");
    return error;
  };
  await t.step("a workload that is not there", async () => {
    const error = await fails(["--proxy-via", `${subnet}=${namespace}/none`]);
    assert.match(error, /^tp: Cannot dial from the pods of "via-.*\/none": No/);
    assert.match(error, /`tp list` shows the workloads of the namespace/);
  });
  await t.step("a workload that cannot have an agent", async () => {
    const scale = (replicas: number) =>
      cluster.kubectl([
        ...["scale", "deployment/inner", "--namespace", namespace],
        `--replicas=${replicas}`,
      ]);
    await scale(0);
    const error = await fails(["--namespace", namespace, ...via]);
    assert.match(error, /^tp: Cannot dial from the pods of "inner": .*pods/);
    await scale(1);
    const rollout = ["rollout", "status", "deployment/inner"];
    await cluster.kubectl([...rollout, "--namespace", namespace]);
  });
  await t.step("a workload whose next pod may not come", async () => {
    await deploySmall(cluster, namespace, { name: "full" });
    const quota = ["quota", "full", "--namespace", namespace];
    // Fewer than there are: whatever ends meanwhile, there is no place for one more.
    await cluster.kubectl(["create", ...quota, "--hard=pods=1"]);
    await waitFor("quota", async () => {
      const used = await get("quota", "{.items[*].status.used.pods}");
      return Number(used) > 1 || used;
    });
    const error = await fails([
      ...["--namespace", namespace, "--proxy-via", `${subnet}=full`],
    ]);
    assert.match(
      error,
      /^tp: Cannot dial from the pods of "full": FailedCreate/,
    );
    assert.match(error, /exceeded quota: full/);
    await cluster.kubectl(["delete", ...quota]);
  });
  await t.step("a user who may connect, and not intercept", async () => {
    const user = `bob-${crypto.randomUUID().slice(0, 8)}`;
    const kubeconfig = await writeLaptopFile(
      laptop,
      `/root/${user}`,
      await makeUser(cluster, { name: user }),
    );
    await using _ = await place.grant(`--user=${user}`);
    const who = ["--kubeconfig", kubeconfig, "--namespace", namespace];
    const error = await fails([...who, ...via]);
    assert.match(error, /^tp: Cannot dial from the pods of "inner": in namesp/);
    assert.match(error, new RegExp(`user "${user}" lacks rights`));
    assert.match(error, /--clusterrole tp-intercept/);
    await tp.ok(["connect", ...place.flag, ...who]);
    await tp.ok(["quit"]);
    await laptop.run(["rm", kubeconfig]);
  });
  assertSameState(await laptop.snapshot(), before);
});
