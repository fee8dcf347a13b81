/** Who is in the cluster's network, or on a laptop, and means harm, gets nothing, and the manager's log tells of him. */
import assert from "node:assert/strict";
import { encodeTarget, type Target } from "../../manager/target.ts";
import {
  agentAudience,
  agentPort,
  type AgentTarget,
  clientPort,
  type Intercept,
} from "../../manager/api.ts";
import { formatEndpoint, Ip, RefusedError } from "../../net/mod.ts";
import { TcpConn } from "../../tcp/mod.ts";
import { createIdentity, dialSession, type Session } from "../../tunnel/mod.ts";
import {
  appBinary,
  type Cluster,
  Laptop,
  must,
  openCluster,
  reissueToken,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";
import { sampleService } from "../support/sample_application.ts";
import { deploySmall, whoContainer } from "../support/small_workloads.ts";
import { hasAgent, isReady, WorkloadWatch } from "../support/workload_watch.ts";

const port = { port: 8080, protocol: "TCP" } as const;

/** The address of the manager's pod. */
async function managerAddress(
  { kubectl }: Cluster,
  { namespace }: ManagerPlace,
): Promise<string> {
  const { stdout } = await kubectl([
    ...["get", "pod", "traffic-manager-0", "--namespace", namespace],
    "--output=jsonpath={.status.podIP}",
  ]);
  return stdout;
}

async function managerLog(
  { kubectl }: Cluster,
  { namespace }: ManagerPlace,
): Promise<string> {
  const pod = ["logs", "traffic-manager-0", "--namespace", namespace];
  return (await kubectl([...pod, "--tail=-1"])).stdout;
}

/** A session with the manager as a laptop has it, of a key that no intercept names. */
async function intruderOn(
  { kubectlPath, kubeconfigPath }: Cluster,
  { namespace }: ManagerPlace,
): Promise<AsyncDisposable & { session: Session; thumbprint: string }> {
  const forward = new Deno.Command(kubectlPath, {
    args: [
      ...["--kubeconfig", kubeconfigPath, "port-forward"],
      ...["--namespace", namespace, "pod/traffic-manager-0"],
      `:${clientPort}`,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = forward.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  const { value = "" } = await reader.read();
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(value)?.[1]);
  const identity = await createIdentity();
  const session = await dialSession({
    ...{ product: "intruder", identity },
    dial: async ({ signal }) =>
      new TcpConn(await Deno.connect({ hostname: "127.0.0.1", port, signal })),
    serve: (incoming) => incoming.refuse("unknown-target", "nothing"),
  });
  return {
    ...{ session, thumbprint: identity.thumbprint },
    async [Symbol.asyncDispose]() {
      session.close();
      await session.ended;
      forward.kill();
      await forward.status;
      await reader.cancel();
    },
  };
}

Deno.test({
  name:
    "a pod that reaches the manager's door for agents gets nothing unless it is one, and no other workload's traffic",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    await using shop = await cluster.namespace("shop");
    const { name: namespace } = shop;
    const watch = new WorkloadWatch(cluster, namespace);
    const names = ["web", "other", "plain"];
    await Promise.all(
      names.map((name) => deploySmall(cluster, namespace, { name })),
    );
    const tp = new Tp(laptop);
    await using _ = await tp.connected([
      ...[...place.flag, "--namespace", namespace],
    ]);
    const who = sampleService(await appBinary(), "who");
    const server = laptop.spawn(
      [...who, "-http", ":3000", "-grpc", "", "-tcp", "", "-udp", ""],
      { env: { WHO: "laptop" }, stderr: "null" },
    );
    for (const [name, laptopPort] of [["web", 3000], ["other", 3001]]) {
      await tp.ok([
        ...["intercept", `${name}`, "--port", `${laptopPort}:http`],
        "--mount=false",
      ]);
    }
    const bare = {
      ...{ apiVersion: "v1", kind: "Pod" },
      metadata: { namespace, name: "bare" },
      spec: { containers: [whoContainer()] },
    };
    await watch.kubectl(["create", "-f", "-"], JSON.stringify(bare));
    await waitFor("pods", async () => {
      const found = await Promise.all(
        ["web", "other"].map((name) => watch.pods(name)),
      );
      const all = found.flat();
      return all.length === 2 && all.every((pod) => hasAgent(pod)) &&
          all.every((pod) => isReady(pod)) || String(all.length);
    });
    const objects: { items: Intercept[] } = JSON.parse(
      await watch.kubectl(["get", "intercepts", "--output=json"]),
    );
    const intercept = objects.items.find(({ spec }) =>
      spec.workload.name === "web"
    )!.metadata.uid!;
    const wish: AgentTarget = { kind: "laptop", intercept, port };
    const address = await managerAddress(cluster, place);
    const [webPod] = await watch.pods("web");
    const authorities = await watch.kubectl([
      ...["get", "pod", webPod!.metadata.name],
      "--output=jsonpath={.metadata.annotations.tp\\.dev/manager-ca}",
    ]);
    const script = new URL(
      "../support/agent_intruder_script.ts",
      import.meta.url,
    );
    const intrude = async (targets: AgentTarget[]): Promise<string[]> => {
      const netns = `/run/netns/${cluster.nodes[0]!.netns}`;
      const told = await must([
        ...["nsenter", `--net=${netns}`, "--", Deno.execPath(), "run", "-A"],
        ...[script.pathname, address, authorities, JSON.stringify(targets)],
      ], { timeoutMs: 60_000 });
      return JSON.parse(told);
    };
    const tokenOf = async (pod?: string, of: string = agentAudience) => {
      const bound = pod === undefined
        ? []
        : ["--bound-object-kind=Pod", `--bound-object-name=${pod}`];
      const out = await watch.kubectl([
        ...["create", "token", "default", ...bound],
        ...of === "" ? [] : [`--audience=${of}`],
      ]);
      return out.trim();
    };
    const podOf = async (name: string) =>
      (await watch.pods(name))[0]!.metadata.name;
    const expiring = async (expiresInSeconds: number) =>
      await reissueToken(await tokenOf(await podOf("web")), {
        expiresInSeconds,
      });

    const strangers: Record<string, { token: string; why: RegExp }> = {
      "no token": { token: "", why: /no token of a pod/ },
      "a made-up token": {
        token: `e30.${btoa('{"exp":4102444800}').replaceAll("=", "")}.e30`,
        why: /the token proves no pod/,
      },
      "an agent's pod's token for the API server": {
        token: await tokenOf(await podOf("web"), ""),
        why: /the token proves no pod/,
      },
      "an agent's pod's token for somebody else": {
        token: await tokenOf(await podOf("web"), "vault"),
        why: /the token proves no pod/,
      },
      "an agent's pod's token that has expired": {
        token: await expiring(-3600),
        why: /the token proves no pod/,
      },
      "a token of no pod": {
        token: await tokenOf(),
        why: /the token proves no pod/,
      },
      "a token of a bare pod": {
        token: await tokenOf("bare"),
        why: /its pod is of no workload that has agents/,
      },
      "a token of a pod of a workload without agents": {
        token: await tokenOf(await podOf("plain")),
        why: /its pod is of no workload that has agents/,
      },
    };
    for (const [name, { token, why }] of Object.entries(strangers)) {
      await t.step(name, async () => {
        const [rules, laptops] = await intrude([
          { kind: "rules", token },
          wish,
        ]);
        say(`${name}: ${rules}`);
        assert.match(rules!, /^forbidden: /);
        assert.match(rules!, why);
        assert.match(laptops!, /^forbidden: .*has not said who it is/);
        assert.match(await managerLog(cluster, place), why);
      });
    }
    await t.step("another workload's agent", async () => {
      const token = await tokenOf(await podOf("other"));
      const [rules, theirs, port22] = await intrude([
        { kind: "rules", token },
        wish,
        { ...wish, port: { port: 22, protocol: "TCP" } },
      ]);
      assert.match(rules!, /^\{"version":1,/);
      assert.doesNotMatch(rules!, new RegExp(intercept));
      const why = /^forbidden: .*The workload has no such intercept/;
      assert.match(theirs!, why);
      assert.match(port22!, why);
      assert.match(
        await managerLog(cluster, place),
        /"forbidden to an agent".*The workload has no such intercept/,
      );
    });
    await t.step("the workload's own agent, and its port alone", async () => {
      // Issued like the one that has expired: nothing else is wrong with that.
      const [rules, own, port22] = await intrude([
        { kind: "rules", token: await expiring(600) },
        wish,
        { ...wish, port: { port: 22, protocol: "TCP" } },
      ]);
      assert.match(rules!, new RegExp(intercept));
      assert.match(own!, /"who": ?"laptop"|HTTP\/1\.0 200/);
      assert.match(port22!, /^forbidden: .*The port is not intercepted/);
    });
    server.kill();
    await server.status;
  },
});

Deno.test("a laptop that asks the manager for what is not the cluster's, or another laptop's, is refused, and the log tells of it", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await using shop = await cluster.namespace("shop");
  const { name: namespace } = shop;
  const watch = new WorkloadWatch(cluster, namespace);
  await deploySmall(cluster, namespace, { name: "web" });
  const tp = new Tp(laptop);
  await using _ = await tp.connected([
    ...[...place.flag, "--namespace", namespace],
  ]);
  await tp.ok(["intercept", "web", "--port", "3000:http", "--mount=false"]);
  const [held]: Intercept[] = JSON.parse(
    await watch.kubectl(["get", "intercepts", "--output=json"]),
  ).items;
  assert.equal(held!.status!.phase, "Active");
  const intercept = held!.metadata.uid!;
  const address = await managerAddress(cluster, place);
  await using intruder = await intruderOn(cluster, place);
  const { session, thumbprint } = intruder;
  const forbidden = async (target: Target, of: "bytes" | "datagrams") => {
    const opened = of === "bytes"
      ? session.open(encodeTarget(target))
      : session.openDatagrams(encodeTarget(target));
    const told = await opened.then(
      () => "opened",
      (error) => error instanceof RefusedError ? error.refusal : `${error}`,
    );
    assert.equal(told, "forbidden", JSON.stringify(target));
  };
  const places: [string, number][] = [
    ["169.254.169.254", 80],
    ["::ffff:169.254.169.254", 80],
    ["fd00:ec2::254", 80],
    ["127.0.0.1", clientPort],
    ["::1", clientPort],
    ["0.0.0.0", clientPort],
    [address, clientPort],
    [address, agentPort],
    [address, 7414],
    [cluster.apiServerAddress.host, 10250],
  ];
  const tried: string[] = [];
  for (const [text, port] of places) {
    const ip = Ip.parse(text);
    await forbidden({ kind: "tcp", ip, port }, "bytes");
    await forbidden({ kind: "udp", ip, port }, "datagrams");
    const to = formatEndpoint(ip, port);
    tried.push(`tcp ${to}`, `udp ${to}`);
  }
  const metadata = Ip.parse("169.254.169.254");
  await forbidden({ kind: "echo", ip: metadata }, "datagrams");
  tried.push(`echo ${metadata}`);
  for (
    const wanted of [
      { kind: "environment", container: "app" },
      { kind: "files", container: "app" },
      { kind: "loopback", port },
    ] as const
  ) {
    await forbidden({ kind: "pod", intercept, wanted }, "bytes");
    tried.push(`pod ${intercept} ${wanted.kind}`);
  }
  await waitFor("the manager's log", async () => {
    const lines = (await managerLog(cluster, place)).split("\n")
      .filter((line) => line.includes('"forbidden to a laptop"'))
      .map((line) => JSON.parse(line))
      .filter((line) => line.thumbprint === thumbprint);
    const told = lines.map(({ wanted, to, intercept, part }) =>
      [wanted, to ?? intercept, part].filter(Boolean).join(" ")
    );
    say(`the log tells of ${told.length} of ${tried.length}`);
    return `${told}` === `${tried}` || `${told}`;
  }, { everyMs: 1000 });
  await tp.ok(["leave", "web"]);
});
