import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import type { ResolverPlan } from "./edge.ts";
import {
  domainsOf,
  maxDomains,
  noStamp,
  resolvectlAt,
  ResolvectlHangs,
  ResolvedEdge,
} from "./resolved_edge.ts";

const plan: ResolverPlan = {
  nameserver: Ip.parse("198.18.0.3"),
  device: { name: "tp0", index: 7 },
  zones: ["cluster.local", "svc"],
  search: ["web.svc.cluster.local"],
};

/** A systemd-resolved that remembers what it was told, and refuses a word if it is to. */
function setUp() {
  const told: string[] = [];
  const world = {
    ...{ stamp: "1", refuses: "" },
    error: new Error("as the test wants it"),
  };
  const edge = new ResolvedEdge((args) => {
    told.push(args.join(" "));
    return args[0] === world.refuses
      ? Promise.reject(world.error)
      : Promise.resolve();
  }, () => Promise.resolve(world.stamp));
  return { told, world, edge };
}

const off = [
  "default-route tp0 no",
  ...["llmnr", "mdns", "dnssec", "dnsovertls"].map((one) => `${one} tp0 no`),
];
const set = [
  "domain tp0 web.svc.cluster.local ~cluster.local ~svc",
  "dns tp0 198.18.0.3",
];

Deno.test("zones come before the nameserver, and before both what the link is not for", async () => {
  const { told, edge } = setUp();
  await edge.apply(plan);
  await edge.apply(plan);
  await edge.follow();
  await edge.restore();
  await edge.restore();
  assert.deepEqual(told, [...off, ...set, ...set, "revert tp0"]);
});

Deno.test("what was built without a protocol is used, what takes no zones is not", async () => {
  const { told, world, edge } = setUp();
  world.refuses = "mdns";
  await edge.apply(plan);
  await edge.restore();
  told.length = 0;
  world.refuses = "domain";
  await assert.rejects(edge.apply(plan), { failure: "resolver-unwritable" });
  assert.deepEqual(told, [...off, set[0], "revert tp0"]);
});

Deno.test("one that hangs is asked of no more: the daemon has other duties", async () => {
  const { told, world, edge } = setUp();
  world.refuses = "llmnr";
  world.error = new ResolvectlHangs("as the test wants it");
  await assert.rejects(edge.apply(plan), { failure: "resolver-unwritable" });
  assert.deepEqual(told, [...off.slice(0, 2), "revert tp0"]);
  await assert.rejects(resolvectlAt("/bin/sleep")(["5"]), ResolvectlHangs);
  await assert.rejects(
    resolvectlAt("/bin/false")([]),
    (error) => !(error instanceof ResolvectlHangs),
  );
});

Deno.test("follow() tells a systemd-resolved again that was told otherwise", async () => {
  const { told, world, edge } = setUp();
  await edge.apply(plan);
  told.length = 0;
  world.stamp = "2";
  await edge.follow();
  await edge.follow();
  assert.deepEqual(told, [...off, ...set]);
  world.stamp = "3";
  world.refuses = "dns";
  await assert.rejects(edge.follow());
  world.refuses = "";
  told.length = 0;
  await edge.follow();
  assert.deepEqual(told, [...off, ...set]);
});

Deno.test("restore() fails only while there is something to revert", async () => {
  const { world, edge } = setUp();
  await edge.apply(plan);
  world.refuses = "revert";
  await assert.rejects(edge.restore(), /as the test wants it/);
  world.stamp = noStamp;
  await edge.restore();
});

Deno.test("domainsOf() names each domain once: what is searched is asked, too", () => {
  const domains = domainsOf({
    search: ["cluster.local", "web.svc.cluster.local", "cluster.local"],
    zones: ["cluster.local", "svc", "svc"],
  });
  assert.deepEqual(domains, ["cluster.local", "web.svc.cluster.local", "~svc"]);
});

Deno.test("never more domains than fit, those of before included", async () => {
  const { told, edge } = setUp();
  const many = (letter: string) => ({
    ...plan,
    zones: Array.from({ length: 300 }, (_, n) => `${letter}${n}`),
  });
  assert.equal(domainsOf(many("a")).length, maxDomains);
  await edge.apply(many("a"));
  told.length = 0;
  await edge.apply(many("b"));
  assert.equal(told[0], "domain tp0 web.svc.cluster.local");
  assert.equal(told[1]!.split(" ").length, 2 + maxDomains);
});
