/**
 * Two connections to clusters that know nothing of each other: the bed, and one that is made up, with a namespace, a service
 * and an address of the same names and numbers.
 */
import assert from "node:assert/strict";
import {
  accounts,
  Laptop,
  must,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { BigCluster, page } from "../support/big_cluster/big_cluster.ts";
import {
  namespaceName,
  podAddress,
  serviceAddress,
  type Shape,
} from "../support/big_cluster/shape.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { type OwnProcesses, ownProcesses } from "../support/own_processes.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySmall } from "../support/small_workloads.ts";

const shape: Shape = {
  ...{ namespaces: 2, services: 2, pods: 2, nodes: 1, nodesTellPods: true },
};
const namespace = namespaceName(1);
/** Of a service `app` here, and of every service there. */
const address = serviceAddress(0);
/** Of a host to whoever asks it from outside. */
const silence = `table inet silence {
  chain input { type filter hook input priority 0; iifname "lap*" drop; }
}
`;
const outside = "outside.example.test";
const outsideMs = 2_000;
const usualMs = 2_000;

Deno.test("two connections to two clusters keep equal names, equal addresses and their troubles apart", async (t) => {
  const cluster = await openCluster();
  if (!cluster.isBed) return;
  await using stack = new AsyncDisposableStack();
  const big = stack.use(await BigCluster.open(shape));
  const laptop = stack.use(await Laptop.open(cluster));
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.kubectl(args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await kubectl("delete", "namespace", namespace, "--ignore-not-found");
  await kubectl("create", "namespace", namespace);
  stack.defer(async () => {
    await kubectl("delete", "namespace", namespace, "--wait=false");
  });
  await deploySmall(cluster, namespace, { name: "app" });
  await cluster.apply(JSON.stringify({
    ...{ apiVersion: "v1", kind: "Service" },
    metadata: { name: "service-1", namespace },
    spec: {
      ...{ clusterIP: address, selector: { app: "app" } },
      ports: [{ port: 80, targetPort: "http" }],
    },
  }));
  const { home } = accounts.root;
  const other = await writeLaptopFile(
    laptop,
    `${home}/other.kubeconfig`,
    await big.alsoLink(laptop),
  );
  const KUBECONFIG = `${home}/.kube/config:${other}`;
  const tp = new Tp(laptop);
  const connect = (...more: string[]) =>
    tp.ok(["connect", ...more], { env: { KUBECONFIG } });
  const first = ["--namespace", namespace];
  const second = ["--context", "big", "--name", "made-up"];
  const get = async (host: string) => {
    const curl = ["curl", "-sS", "-m", "10", `http://${host}/`];
    const { stdout, stderr, durationMs } = await laptop.run(curl);
    const text = stdout === page
      ? "made up"
      : /"who": ?"app-/.test(stdout)
      ? "bed"
      : stdout + stderr;
    return { text, durationMs };
  };
  const dig = async (host: string) => {
    const { stdout } = await laptop.run(["dig", "+short", "+time=5", host]);
    return stdout.trim();
  };
  const mustBeApart = async () => {
    for (const name of ["service-1", "service-1." + namespace]) {
      assert.equal((await get(name)).text, "bed", name);
    }
    const there = `service-1.${namespace}.made-up`;
    assert.equal((await get(there)).text, "made up");
  };
  const before = await laptop.snapshot();

  await t.step("names and addresses that both have", async () => {
    await connect(...first);
    assert.match(
      await connect(...second),
      /^Connected as made-up to context big /m,
    );
    await mustBeApart();
    const virtual = await dig(`service-1.${namespace}.made-up`);
    say(`both have ${address}; of the second it is ${virtual}`);
    assert.equal(await dig(`service-1.${namespace}`), address);
    assert.match(virtual, /^198\.1[89]\./);
    assert.equal((await get(address)).text, "bed");
    assert.equal((await get(virtual)).text, "made up");
    // What the first has not, the second has, by the same names and addresses as ever.
    assert.equal((await get(`service-0.${namespaceName(0)}`)).text, "made up");
    assert.equal((await get(podAddress(0, shape))).text, "made up");
  });

  const kills: (keyof OwnProcesses)[][] = [
    ["connector"],
    ["daemon"],
    ["connector", "daemon"],
  ];
  for (const victims of kills) {
    const what = victims.join(" and ");
    await t.step(`kill -9 of ${what}, and both stand again`, async () => {
      const pids = await ownProcesses(laptop);
      for (const victim of victims) Deno.kill(pids[victim], "SIGKILL");
      const getent = ["getent", "hosts", outside];
      const { code, durationMs } = await laptop.run(getent);
      assert.equal(code, 0, outside);
      assert.ok(durationMs < outsideMs, `${durationMs} ms`);
      await connect(...first);
      await connect(...second);
      await mustBeApart();
      say(
        `after kill -9 of ${what}: ${outside} took ${
          Math.round(durationMs)
        } ms`,
      );
    });
  }

  await t.step(
    "the other one's names and end wait for none that is away",
    async () => {
      await tp.ok(["quit"]);
      await connect(...second);
      await connect("--name", "bed", ...first);
      await must(big.command(["nft", "-f", "-"]), { stdin: silence });
      await waitFor("the word that it is away", async () => {
        const told = await tp.ok(["status", "--use", "made-up"]);
        return told.includes("INTERRUPTED") || told;
      });
      assert.doesNotMatch(
        await tp.ok(["status", "--use", "bed"]),
        /INTERRUPTED/,
      );
      // Which would say first where that is, if it could.
      const { text, durationMs } = await get(`service-1.${namespace}`);
      assert.equal(text, "bed");
      say(`beside one that is away it took ${Math.round(durationMs)} ms`);
      assert.ok(durationMs < usualMs, `${durationMs} ms`);
      const quit = ["quit", "--use", "made-up"];
      assert.equal(await tp.ok(quit), "Disconnected made-up\n");
      assert.equal((await get("service-1")).text, "bed");
    },
  );
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
  await must(laptop.command(["rm", other]));
});
