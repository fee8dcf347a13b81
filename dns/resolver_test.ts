import assert from "node:assert/strict";
import { Subnet } from "../net/mod.ts";
import { Fqdn } from "./name.ts";
import { recordTypes } from "./question.ts";
import { parseNameRules } from "./name_rules.ts";
import { decide } from "./resolver.ts";
import type { Zones } from "./zones.ts";

const zones = {
  clusterDomain: "cluster.local",
  namespaces: new Set([
    "default",
    "orders",
    "dev",
    "prod",
    "io",
    "local",
    "test",
  ]),
  search: ["orders"],
  subnets: [Subnet.parse("10.96.0.0/16"), Subnet.parse("fd00:96::/112")],
};

function decided(
  text: string,
  { type = recordTypes.a as number, more = {} as Partial<Zones> } = {},
) {
  const name = Fqdn.parse(text);
  const question = { name, type, class: 1 };
  const decision = decide(question, { ...zones, ...more });
  return decision.by === "cluster"
    ? `${decision.names.join(" ")}${decision.orHost ? " or host" : ""}`
    : decision.by;
}

const table: [name: string, decision: string][] = [
  // A service in the connection's namespace.
  ["web", "web.orders.svc.cluster.local. or host"],
  ["Web", "Web.orders.svc.cluster.local. or host"],
  ["dev", "dev.orders.svc.cluster.local. or host"],
  // A service in a namespace of the cluster, and what is below it.
  ["web.default", "web.default.svc.cluster.local. or host"],
  ["WEB.Default", "WEB.Default.svc.cluster.local. or host"],
  ["db-0.db.default", "db-0.db.default.svc.cluster.local. or host"],
  [
    "_http._tcp.web.default",
    "_http._tcp.web.default.svc.cluster.local. or host",
  ],
  ["web.test", "web.test.svc.cluster.local. or host"],
  ["web.elsewhere", "host"],
  // A namespace called like a top-level domain does not take it.
  ["web.dev", "host"],
  ["www.web.dev", "host"],
  ["web.prod", "host"],
  ["web.io", "host"],
  ["printer.local", "host"],
  // Its services have longer names.
  ["web.dev.svc", "web.dev.svc.cluster.local."],
  ["web.dev.svc.cluster.local", "web.dev.svc.cluster.local."],
  // Under `svc` and under the cluster domain all is the cluster's.
  ["web.elsewhere.svc", "web.elsewhere.svc.cluster.local."],
  ["default.svc", "default.svc.cluster.local."],
  ["svc", "svc.orders.svc.cluster.local. or host"],
  ["cluster.local", "cluster.local."],
  ["10-1-2-3.orders.pod.Cluster.Local", "10-1-2-3.orders.pod.Cluster.Local."],
  ["notcluster.local", "host"],
  // Never the cluster's.
  ["wpad", "host"],
  ["WPAD.default", "host"],
  ["wpad.default.svc.cluster.local", "host"],
  ["isatap", "host"],
  ["localhost", "host"],
  ["web.localhost", "host"],
  // The rest of the world.
  ["example.com", "host"],
  ["www.example.org.", "host"],
  [".", "host"],
  // Reverse names of the cluster's addresses.
  ["1.0.96.10.in-addr.arpa", "1.0.96.10.in-addr.arpa. or host"],
  ["1.0.97.10.in-addr.arpa", "host"],
  ["96.10.in-addr.arpa", "host"],
  ["x.0.96.10.in-addr.arpa", "host"],
  [
    `a${".0".repeat(23)}.6.9.0.0.0.0.d.f.ip6.arpa`,
    `a${".0".repeat(23)}.6.9.0.0.0.0.d.f.ip6.arpa. or host`,
  ],
  [`a${".0".repeat(23)}.7.9.0.0.0.0.d.f.ip6.arpa`, "host"],
];

for (const [name, decision] of table) {
  Deno.test(`decide() gives "${name}" to ${decision}`, () => {
    assert.equal(decided(name === "." ? "" : name), decision);
  });
}

Deno.test("decide() gives a single label to each namespace of the search, in order", () => {
  const decision = decide(
    { name: Fqdn.parse("web"), type: recordTypes.a, class: 1 },
    { ...zones, search: ["orders", "default"] },
  );
  assert.deepEqual(decision.by === "cluster" && decision.names.map(String), [
    "web.orders.svc.cluster.local.",
    "web.default.svc.cluster.local.",
  ]);
});

Deno.test("decide() leaves questions about zones to the host unless they are in the cluster's", () => {
  const soa = { type: recordTypes.soa };
  assert.equal(decided("com", soa), "host");
  assert.equal(decided("web.default", soa), "host");
  assert.equal(
    decided("web.default.svc", soa),
    "web.default.svc.cluster.local.",
  );
});

Deno.test("decide() leaves classes other than IN to the host", () => {
  const name = Fqdn.parse("version.default");
  assert.deepEqual(decide({ name, type: 16, class: 3 }, zones), {
    by: "host",
  });
});

Deno.test("decide() knows that a name that grows too long does not exist", () => {
  const long = Array.from({ length: 4 }, () => "a".repeat(59)).join(".");
  assert.equal(decided(`${long}.default`), "host");
  assert.equal(decided(`${long}.svc`), "none");
});

const mapped: Partial<Zones> = {
  namespaces: new Set(["bakery"]),
  mapped: new Set(["bakery"]),
  search: ["bakery", "default"],
  mappedAddresses: new Set(["10.96.0.7"]),
};

const mappedTable: [name: string, decision: string][] = [
  // Also where an intercept elsewhere has put its namespace on the list.
  ["web", "web.bakery.svc.cluster.local. or host"],
  ["web.bakery", "web.bakery.svc.cluster.local. or host"],
  ["web.default", "host"],
  ["web.bakery.svc", "web.bakery.svc.cluster.local."],
  ["web.default.svc", "none"],
  ["web.default.svc.cluster.local", "none"],
  ["_http._tcp.web.Default.svc.Cluster.Local", "none"],
  ["10-1-2-3.default.pod.cluster.local", "none"],
  ["10-1-2-3.bakery.pod.cluster.local", "10-1-2-3.bakery.pod.cluster.local."],
  ["svc.cluster.local", "svc.cluster.local."],
  ["cluster.local", "cluster.local."],
  ["7.0.96.10.in-addr.arpa", "7.0.96.10.in-addr.arpa. or host"],
  ["8.0.96.10.in-addr.arpa", "host"],
];

for (const [name, decision] of mappedTable) {
  Deno.test(`decide() with one namespace mapped: ${name} is of ${decision}`, () => {
    assert.equal(decided(name, { more: mapped }), decision);
  });
}

Deno.test("decide() asks the cluster first for a name that is reached through it, unless it is excluded", () => {
  const proxied = new Set([Fqdn.parse("db.example").key]);
  assert.equal(
    decided("DB.example", { more: { proxied } }),
    "DB.example. or host",
  );
  assert.equal(decided("www.db.example", { more: { proxied } }), "host");
  const own = new Set([Fqdn.parse("web.default").key]);
  assert.equal(
    decided("web.default", { more: { proxied: own } }),
    "web.default.svc.cluster.local. or host",
  );
  const rules = parseNameRules({ excludes: ["db.example"] });
  assert.equal(decided("db.example", { more: { proxied, rules } }), "host");
});
