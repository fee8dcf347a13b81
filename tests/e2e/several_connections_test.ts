/** Two connections at once: names and addresses of each, what one's end leaves to the other. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, waitFor } from "../cluster/mod.ts";
import { dnsServedTo, ownDns } from "../support/cluster_dns.ts";
import { DatabaseSession } from "../support/database_session.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySmall } from "../support/small_workloads.ts";

Deno.test("two connections stand side by side, each with names and addresses of its own, and end one by one", async () => {
  const cluster = await openCluster();
  if (!cluster.isBed) return;
  await using laptop = await Laptop.open(cluster);
  const before = await laptop.snapshot();
  const tp = new Tp(laptop);
  await using own = await cluster.namespace("several");
  const namespace = own.name;
  // In the second cluster, as it is told, `web` is another service.
  const full = (name: string) => `${name}.${namespace}.svc.cluster.local`;
  await Promise.all(
    ["web", "till"].map((name) => deploySmall(cluster, namespace, { name })),
  );
  const { stdout: tillIp } = await cluster.kubectl([
    ...["get", "service", "till", `--namespace=${namespace}`],
    "--output=jsonpath={.spec.clusterIP}",
  ]);
  await using dns = await ownDns(cluster, {
    namespace,
    rules: `template IN A ${full("web")} {
    answer "{{ .Name }} 5 IN A ${tillIp}"
  }`,
  });
  await using one = await managerPlace(cluster);
  await using two = await managerPlace(cluster);
  await Promise.all([one, two].map(({ flag }) => tp.ok(["install", ...flag])));
  await dnsServedTo(cluster, two.namespace, [dns.address]);

  const ns = ["--namespace", namespace];
  const first = await tp.ok(["connect", ...one.flag, ...ns]);
  assert.match(first, /^Connected to context /m);
  const statuses = async (...args: string[]) =>
    JSON.parse(await tp.ok(["status", "--output", "json", ...args]));
  const { user_daemon: { name: oldest }, ...alone } = await statuses();
  assert.match(oldest, new RegExp(`-${namespace}$`));
  assert.equal(alone.connections, undefined);
  const second = ["connect", "--name", "two", ...two.flag, ...ns];
  assert.match(await tp.ok(second), /^Connected as two to context /m);
  assert.match(await tp.ok(second), /^Already connected as two to /m);

  const who = async (host: string) => {
    const { stdout, stderr } = await laptop.run([
      ...["curl", "-sS", "-m", "10", `${host}:80`],
    ]);
    return /\b(web|till)\b/.exec(stdout)?.[1] ?? stdout + stderr;
  };
  const served = {
    ...{ "web": "web", "web.two": "till", "till.two": "till" },
    [`web.${namespace}`]: "web",
    [`web.${namespace}.two`]: "till",
    [`web.${namespace}.svc.two`]: "till",
    [full("web")]: "web",
    [`${full("web")}.two`]: "till",
    [`web.${namespace}.${oldest}`]: "web",
  };
  for (const [host, app] of Object.entries(served)) {
    assert.equal(await who(host), app, host);
  }
  const dig = async (...args: string[]) => {
    const { stdout } = await laptop.run(["dig", "+short", ...args]);
    return stdout.trim();
  };
  const [real, virtual] = [await dig("web"), await dig("web.two")];
  say(`web ${real}, till ${tillIp}, web.two ${virtual}`);
  assert.match(virtual, /^198\.1[89]\./);
  assert.equal(await dig("till.two"), virtual);
  assert.equal(await dig("-x", real), `${full("web")}.`);
  // By the second's DNS that address has the name of `till`.
  assert.equal(await dig("-x", virtual), `${full("till")}.two.`);
  assert.equal(await dig("web.nowhere.two"), "");

  const { connections } = await statuses();
  assert.deepEqual(
    connections.map(({ user_daemon: { name } }: never) => name),
    [oldest, "two"],
  );
  const reasons = connections[1].root_daemon.virtual_subnets
    .map(({ reason }: { reason: string }) => reason);
  assert.deepEqual([...new Set(reasons)], [`connection "${oldest}" has it`]);
  assert.match(await tp.ok(["status"]), /^Connection two\nConnected\n/m);
  const { user_daemon: meant } = await statuses("--use", "t.o");
  assert.equal(meant.manager_namespace, two.namespace);
  assert.match(
    await tp.fails(["list"]),
    /more than one connection can be meant \(\S+, two\)\n.*--use NAME/,
  );
  assert.match(await tp.ok(["list", "--use", "two"]), /\btill\b/);
  assert.match(
    await tp.fails(["intercept", "web", "--use", "x", ...one.flag]),
    /no connection fits "x"/,
  );
  assert.match(
    await tp.fails(["list", "--use", "three"]),
    /no connection fits "three"/,
  );

  // Each may have intercepts, and leaves the other's alone; a port of the laptop is for one of them.
  const intercept = (workload: string, port: number, use: string) => [
    ...["intercept", workload, "--port", `${port}:http`, "--mount", "false"],
    ...["--use", use],
  ];
  await tp.ok(intercept("web", 8080, "two"));
  assert.match(
    await tp.fails(intercept("till", 8080, oldest)),
    /already in use by intercept web/,
  );
  await tp.ok(intercept("till", 8081, oldest));
  const objects = async () => {
    const get = ["get", "intercepts.tp.dev", ...ns, "--output=name"];
    return (await cluster.kubectl(get)).stdout.trim().split("\n");
  };
  const left = await objects();
  assert.equal(left.length, 2, String(left));
  assert.match(
    await tp.fails(["leave", "till", "--use", "two"]),
    /till/,
  );
  // Whose it is need not be said, unless both have one.
  await tp.ok(["leave", "till"]);
  await tp.ok(["leave", "web"]);
  const both = ["intercept", "both", "--local-only", "--use"];
  for (const name of [oldest, "two"]) await tp.ok([...both, name]);
  assert.match(
    await tp.fails(["leave", "both"]),
    new RegExp(`^tp: Cannot leave "both": connections ${oldest}, two have one`),
  );
  await tp.ok(["leave", "both", "--use", "two"]);
  await tp.ok(["leave", "both"]);
  assert.match(await tp.fails(["leave", "both"]), /"both" not found/);

  // What both had when they were killed is deleted by who connects next, and nothing else is.
  await tp.ok(intercept("web", 8080, "two"));
  await tp.ok(intercept("till", 8081, oldest));
  Deno.kill((await ownProcesses(laptop)).connector, "SIGKILL");
  await tp.ok(["connect", ...one.flag, ...ns]);
  await waitFor("the end of what was left", async () => {
    return String(await objects()) || true;
  });
  await tp.ok(intercept("till", 8081, oldest));
  await tp.ok(second);
  assert.equal((await objects()).length, 1);
  await tp.ok(["leave", "till"]);

  {
    await using held = await DatabaseSession.open(laptop);
    await using other = await DatabaseSession.open(laptop, {
      host: "postgres.default.two",
    });
    assert.match(await tp.fails(["quit", "--use", "tw"]), /no connection fits/);
    assert.equal(await tp.ok(["quit", "--use", "two"]), "Disconnected two\n");
    const startedMs = performance.now();
    await assert.rejects(other.ask("select 2"));
    const ms = performance.now() - startedMs;
    assert.ok(ms < 2_000, `told after ${ms} ms`);
    assert.equal(await held.ask("select 3"), "3");
  }
  assert.equal(await dig("web.two"), "");
  assert.equal(await who("web"), "web");

  // What the first had is the other's when the first is gone.
  await tp.ok(second);
  assert.equal(await who("web.two"), "till");
  // The connection to the manager that is taken away ends with it, and no other.
  const removed = await tp.ok(["uninstall", "--everything", ...one.flag]);
  assert.match(removed, new RegExp(`^Disconnected ${oldest}$`, "m"));
  await waitFor("the addresses of the one that is left", async () => {
    const told = await dig("web");
    return told === tillIp || told;
  });
  assert.equal(await who("web"), "till");
  await tp.ok(["list"]);
  assert.equal(await tp.ok(["quit"]), "tp Daemon quitting...done\n");
  assertSameState(await laptop.snapshot(), before);
});
