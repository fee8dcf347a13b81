import assert from "node:assert/strict";
import type { Zones } from "../../dns/mod.ts";
import { Ip } from "../../net/mod.ts";
import { ZoneKeeper } from "./zone_keeper.ts";

const nameserver = Ip.parse("198.18.0.3");
const zonesWith = (...namespaces: string[]): Zones => ({
  clusterDomain: "cluster.local",
  namespaces: new Set(namespaces),
  search: ["web"],
});

function setUp() {
  const told: string[] = [];
  let wake = Promise.withResolvers<void>();
  const daemon = {
    setResolver({ zones }: { zones?: readonly string[] }) {
      told.push(zones!.join(" "));
      wake.resolve();
      wake = Promise.withResolvers();
      const edge = "systemd-resolved" as const;
      return Promise.resolve({ edge, reason: "it splits", refused: [] });
    },
    restoreResolver() {
      told.push("restore");
      return Promise.resolve();
    },
  };
  return { told, daemon, next: () => wake.promise };
}

Deno.test("what changes when the host has its own resolver back is not told", async () => {
  const { told, daemon } = setUp();
  let zones = zonesWith("web");
  const options = {
    daemon,
    nameserver,
    clusters: () => [{ zones: () => zones }],
  };
  const keeper = await ZoneKeeper.start(options);
  keeper.routesChanged();
  keeper.routesChanged();
  const over = keeper[Symbol.asyncDispose]();
  zones = zonesWith("orders");
  keeper.routesChanged();
  await over;
  keeper.routesChanged();
  await new Promise((resolve) => setTimeout(resolve, 0));
  const first = "cluster.local svc orders";
  const three = ["cluster.local svc web", first, first];
  assert.deepEqual(told, [...three, "restore"]);
});

Deno.test("the host's resolver follows namespaces and routes, and hears of nothing else", async () => {
  const { told, daemon, next } = setUp();
  let zones = zonesWith("web");
  const options = {
    daemon,
    nameserver,
    clusters: () => [{ zones: () => zones }],
  };
  {
    await using keeper = await ZoneKeeper.start(options);
    assert.equal(keeper.state.edge, "systemd-resolved");
    zones = zonesWith("web");
    keeper.routesChanged();
    await next();
    const start = performance.now();
    zones = zonesWith("web", "orders");
    await next();
    assert.ok(performance.now() - start < 1_500);
    zones = zonesWith("orders", "web"); // the same in another order
    await new Promise((resolve) => setTimeout(resolve, 600));
  }
  assert.deepEqual(told, [
    "cluster.local svc web",
    "cluster.local svc web",
    "cluster.local svc web orders",
    "restore",
  ]);
});
