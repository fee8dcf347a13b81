/** A cluster of 1 000 namespaces, 10 000 services, 20 000 pods and 1 000 nodes, made up by a fake API server. */
import assert from "node:assert/strict";
import { Laptop, waitFor } from "../cluster/mod.ts";
import { BigCluster, page } from "../support/big_cluster/big_cluster.ts";
import {
  large,
  namespaceName,
  scaled,
  type Shape,
} from "../support/big_cluster/shape.ts";
import { Tp } from "../support/laptop_tp.ts";

/** What a laptop asks and is told, from `tp connect` to a page of a service. */
async function connectAndBrowse(shape: Shape) {
  await using cluster = await BigCluster.open(shape);
  await using laptop = await Laptop.open(cluster.ofLaptop);
  const tp = new Tp(laptop);
  const { asked: before } = await cluster.counts();
  await using _ = await tp.connected();
  const { asked, forwarded } = await cluster.counts();
  // The manager may still be learning what does not concern laptops.
  const agents = Object.keys(asked).filter((one) => !one.endsWith("manager"));
  assert.equal(agents.length, 1, `asked by ${agents}`);

  const last = namespaceName(shape.namespaces - 1);
  const got = await laptop.run(["curl", "-sS", `service-7.${last}/index.html`]);
  assert.equal(got.stdout, page, got.stderr);
  const { root_daemon: { subnets } } = JSON.parse(
    await tp.ok(["status", "--output", "json"]),
  );
  return {
    manager: Object.values(before)[0]!,
    laptop: asked[agents[0]!]!,
    forwarded,
    routes: subnets.length,
  };
}

Deno.test("tp connect asks no more of a large cluster than of a small one", async () => {
  const small = await connectAndBrowse(scaled(large, 0.01));
  const big = await connectAndBrowse(large);
  assert.deepEqual(big.laptop, small.laptop);
  assert.equal(big.forwarded.connections, small.forwarded.connections);
  // The names of namespaces are all that comes with them.
  const perNamespace = (big.forwarded.down - small.forwarded.down) /
    (large.namespaces - scaled(large, 0.01).namespaces);
  assert.ok(perNamespace < 24, `${perNamespace} bytes for each namespace`);
  assert.ok(big.routes < 20, `${big.routes} routes`);
});

Deno.test("the manager learns where pods live of 20 000 pods, and laptops in few routes", async () => {
  const { manager, routes, forwarded } = await connectAndBrowse({
    ...large,
    nodesTellPods: false,
  });
  // Pages of 500: pods, namespaces, nodes; what intercepts need; then the watches.
  assert.ok(manager.requests < 75, `${manager.requests} requests`);
  assert.ok(routes < 256, `${routes} routes`);
  assert.ok(forwarded.down < 32_000, `${forwarded.down} bytes`);
});

Deno.test("a change in a large cluster is told as such, and a node's heartbeat not at all", async () => {
  await using cluster = await BigCluster.open(large);
  await using laptop = await Laptop.open(cluster.ofLaptop);
  await using _ = await new Tp(laptop).connected();
  const { forwarded: { down: whole } } = await cluster.counts();

  await cluster.change({ order: "touch", kind: "nodes", count: 1_000 });
  await cluster.change({ order: "add", kind: "namespaces", count: 1 });
  const host = `service-7.${namespaceName(large.namespaces)}`;
  await waitFor(`page of ${host}`, async () => {
    const { stdout, stderr } = await laptop.run(["curl", "-sS", host]);
    return stdout === page || stderr;
  });
  const { forwarded: { down } } = await cluster.counts();
  assert.ok(whole > 10_000, `${whole} bytes at first`);
  assert.ok(down < 2_000, `${down} bytes for a namespace and its page`);
});
