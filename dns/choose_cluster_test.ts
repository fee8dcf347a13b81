import assert from "node:assert/strict";
import { Ip, Subnet } from "../net/mod.ts";
import type { AppAddresses } from "./app_addresses.ts";
import {
  type ChoosableCluster,
  chooseClusters,
  leadsElsewhere,
} from "./choose_cluster.ts";
import { Fqdn } from "./name.ts";
import { type NameSettings, parseNameRules } from "./name_rules.ts";
import { internetClass, recordTypes } from "./question.ts";
import type { Zones } from "./zones.ts";

const virtual = Ip.parse("198.18.1.7");

/** The addresses of a cluster that are told as others, but for one, as `10.96.0.7` is told as {@link virtual}. */
function behindVirtual(own: boolean): AppAddresses {
  return {
    toApp: (ip) => ip,
    behind: (ip) =>
      ip.equals(virtual)
        ? own ? Ip.parse("10.96.0.7") : "nothing"
        : own && Subnet.parse("10.96.0.0/16").contains(ip)
        ? "host"
        : undefined,
  };
}

function cluster(
  name: string,
  { says = {}, own = false, ...zones }:
    & Partial<Zones>
    & { says?: NameSettings; own?: boolean },
): ChoosableCluster {
  const all: Zones = {
    clusterDomain: "cluster.local",
    namespaces: new Set(["orders"]),
    search: ["orders"],
    subnets: [Subnet.parse("10.96.0.0/16")],
    rules: parseNameRules(says),
    ...zones,
  };
  return {
    name: Fqdn.parse(name),
    zones: () => all,
    addresses: behindVirtual(own),
  };
}

const one = cluster("one", {
  namespaces: new Set(["orders", "bakery", "three", "svc"]),
  says: {
    includeSuffixes: ["corp.test"],
    mappings: [
      { name: "cake", aliasFor: "cake.bakery" },
    ],
  },
});
const two = cluster("two", {
  clusterDomain: "corp.internal",
  namespaces: new Set(["orders", "mill", "dev"]),
  own: true,
  says: {
    excludes: ["till.orders"],
    mappings: [
      { name: "flour", aliasFor: "flour.mill" },
      { name: "out", aliasFor: "www.example.com" },
      { name: "four", aliasFor: "192.0.2.1" },
    ],
  },
});
const three = cluster("three", { mapped: new Set(["mill"]) });

/** What is asked of whom, in order, then who has the last word. */
function chosen(
  text: string,
  type: number = recordTypes.a,
  clusters = [one, two, three],
): string {
  const asking = { name: Fqdn.parse(text), type, class: internetClass };
  const { readings, orHost } = chooseClusters(asking, clusters);
  const bare = (name: unknown) => String(name).replace(/\.$/, "");
  const told = readings.map(({ cluster, decision }) =>
    `${bare(cluster.name)}: ` +
    (decision.by === "alias"
      ? `= ${bare(decision.of)}`
      : decision.names.map(bare).join(" "))
  );
  return [...told, orHost ? "host" : "none"].join(", ");
}

const cases: [name: string, chosen: string, type?: number][] = [
  // A name that ends in a cluster's own.
  ["web.orders.two", "two: web.orders.svc.corp.internal, none"],
  ["WEB.orders.TWO", "two: WEB.orders.svc.corp.internal, none"],
  ["web.two", "two: web.orders.svc.corp.internal, none"],
  [
    "_http._tcp.web.orders.two",
    "two: _http._tcp.web.orders.svc.corp.internal, none",
    33,
  ],
  ["pod-0.db.orders.two", "two: pod-0.db.orders.svc.corp.internal, none"],
  ["web.orders.svc.two", "two: web.orders.svc.corp.internal, none"],
  [
    "web.orders.svc.corp.internal.two",
    "two: web.orders.svc.corp.internal, none",
  ],
  ["web.orders.svc.cluster.local.two", "none"],
  ["web.nowhere.two", "none"],
  ["web.dev.two", "none"],
  ["www.example.com.two", "none"],
  ["db.corp.test.one", "one: db.corp.test, none"],
  ["7.0.96.10.in-addr.arpa.two", "none"],
  ["wpad.two", "none"],
  ["localhost.two", "none"],
  // The same, where a namespace is called like the cluster.
  ["web.three", "one: web.three.svc.cluster.local, host"],
  ["web.mill.three", "one: web.mill.three.svc.cluster.local, host"],
  [
    "web.mill.svc.three",
    "three: web.mill.svc.cluster.local, one: web.mill.svc.three.svc.cluster.local, host",
  ],
  // What a user says of names of one cluster leads to that cluster.
  ["flour.two", "two: = flour.mill.two, none"],
  ["out.two", "two: = www.example.com, none"],
  ["four.two", "two: = 192.0.2.1, none"],
  ["flour", "one: flour.orders.svc.cluster.local, two: = flour.mill.two, none"],
  ["cake", "one: = cake.bakery, two: cake.orders.svc.corp.internal, none"],
  // The cluster's own name by itself is a short name like others.
  [
    "two",
    "one: two.orders.svc.cluster.local, two: two.orders.svc.corp.internal, host",
  ],
  // Reverse names.
  ["7.1.18.198.in-addr.arpa", "two: 7.0.96.10.in-addr.arpa, none", 12],
  [
    "8.0.96.10.in-addr.arpa",
    "one: 8.0.96.10.in-addr.arpa, three: 8.0.96.10.in-addr.arpa, host",
    12,
  ],
  ["9.2.0.192.in-addr.arpa", "host", 12],
  // All others, in the order of the clusters.
  [
    "web",
    "one: web.orders.svc.cluster.local, two: web.orders.svc.corp.internal, host",
  ],
  [
    "web.orders",
    "one: web.orders.svc.cluster.local, two: web.orders.svc.corp.internal, host",
  ],
  ["till.orders", "one: till.orders.svc.cluster.local, host"],
  [
    "db.orders",
    "one: db.orders.svc.cluster.local, two: db.orders.svc.corp.internal, host",
  ],
  ["web.mill", "two: web.mill.svc.corp.internal, host"],
  ["web.bakery", "one: web.bakery.svc.cluster.local, host"],
  ["web.dev", "host"],
  [
    "web.orders.svc",
    "one: web.orders.svc.svc.cluster.local web.orders.svc.cluster.local, two: web.orders.svc.corp.internal, none",
  ],
  ["web.orders.svc.cluster.local", "one: web.orders.svc.cluster.local, none"],
  [
    "web.mill.svc.cluster.local",
    "one: web.mill.svc.cluster.local, three: web.mill.svc.cluster.local, none",
  ],
  ["web.mill.svc.corp.internal", "two: web.mill.svc.corp.internal, none"],
  ["db.corp.test", "one: db.corp.test, none"],
  ["www.example.com", "host"],
  ["orders.one", "one: orders.orders.svc.cluster.local, none"],
  ["orders", "host", recordTypes.ns],
];

for (const [name, expected, type] of cases) {
  Deno.test(`chooseClusters() for "${name}": ${expected}`, () => {
    assert.equal(chosen(name, type), expected);
  });
}

Deno.test("chooseClusters() with one cluster is what that cluster's zones decide", () => {
  assert.equal(
    chosen("web.orders", 1, [one]),
    "one: web.orders.svc.cluster.local, host",
  );
  assert.equal(chosen("7.1.18.198.in-addr.arpa", 12, [one]), "none");
  assert.equal(chosen("8.0.96.10.in-addr.arpa", 12, [two]), "host");
  assert.equal(chosen("web.orders.two", 1, [one]), "host");
  assert.equal(chosen("web.orders", 1, []), "host");
});

Deno.test("leadsElsewhere() tells names that would be looked for in another cluster first", () => {
  const clusters = [one, two, three];
  const leads = (cluster: ChoosableCluster, name: string) =>
    leadsElsewhere(Fqdn.parse(name), { cluster, clusters });
  assert.equal(leads(one, "web.orders.svc.cluster.local"), false);
  assert.equal(leads(two, "web.orders.svc.corp.internal"), false);
  assert.equal(leads(three, "web.mill.svc.cluster.local"), true);
});
