import assert from "node:assert/strict";
import { Fqdn } from "./name.ts";
import { parseNameRules } from "./name_rules.ts";
import { routingZones, routingZonesOf } from "./routing_zones.ts";
import type { Zones } from "./zones.ts";

const zones: Zones = {
  clusterDomain: "cluster.local",
  namespaces: new Set(["web", "default", "dev", "io", "kube-system"]),
  search: ["web", "gone"],
};

Deno.test("routingZones() names what the cluster may answer, most wanted first", () => {
  const found = routingZones({
    ...zones,
    proxied: new Set(
      ["RDS.Example.net", "printer"].map((name) => Fqdn.parse(name).key),
    ),
    rules: parseNameRules({
      includeSuffixes: [".Corp.Example"],
      mappings: [{ name: "DB.example.com", aliasFor: "db.web" }],
      servedTopLevelNamespaces: ["io"],
    }),
  });
  assert.deepEqual(found, {
    search: ["web.svc.cluster.local", "gone.svc.cluster.local"],
    zones: [
      ...["cluster.local", "svc", "corp.example", "db.example.com"],
      ...["rds.example.net", "web", "default", "kube-system"],
    ],
    topLevel: ["io"],
  });
});

Deno.test("routingZones() leaves out namespaces that are not mapped", () => {
  const mapped = new Set(["web", "dev", "absent"]);
  assert.deepEqual(
    routingZones({ ...zones, mapped, search: ["default", "web"] }),
    {
      search: ["web.svc.cluster.local"],
      zones: ["cluster.local", "svc", "web"],
      topLevel: [],
    },
  );
});

Deno.test("routingZones() has a mapping of a single label searched before services", () => {
  const rules = parseNameRules({
    mappings: [{ name: "db", aliasFor: "db.web" }],
  });
  assert.deepEqual(routingZones({ ...zones, rules, search: ["web"] }), {
    search: ["cluster.local", "web.svc.cluster.local"],
    zones: ["cluster.local", "svc", "web", "default", "kube-system"],
    topLevel: [],
  });
});

Deno.test("routingZonesOf() sends the clusters' own names first, and searches in the first alone", () => {
  const found = routingZonesOf([
    { name: "one", zones },
    {
      name: "two",
      zones: {
        clusterDomain: "corp.internal",
        namespaces: new Set(["default", "mill"]),
        search: ["mill"],
      },
    },
  ]);
  assert.deepEqual(found, {
    search: ["web.svc.cluster.local", "gone.svc.cluster.local"],
    zones: [
      ...["one", "two", "cluster.local", "svc", "web", "default"],
      ...["kube-system", "corp.internal", "mill"],
    ],
    topLevel: [],
  });
});
