import assert from "node:assert/strict";
import { Ip, Subnet } from "../net/mod.ts";
import { formatWorld, parseWorld, type World } from "./world.ts";

const world: World = {
  clusterDomain: "cluster.local",
  namespaces: ["default", "shop"],
  serviceSubnets: [Subnet.parse("10.96.0.0/16"), Subnet.parse("fd00:96::/112")],
  podSubnets: [Subnet.parse("10.244.0.0/24")],
  nameserver: Ip.parse("10.96.0.10"),
  version: "0.1.0",
};

const line =
  '{"clusterDomain":"cluster.local","namespaces":["default","shop"],"serviceSubnets":["10.96.0.0/16","fd00:96::/112"],"podSubnets":["10.244.0.0/24"],"nameserver":"10.96.0.10","version":"0.1.0"}';

Deno.test("formatWorld() and parseWorld() agree", () => {
  assert.equal(formatWorld(world), line);
  assert.deepEqual(parseWorld(line), world);
});

const later: World = {
  ...world,
  namespaces: ["apps", "default"],
  podSubnets: [Subnet.parse("10.244.0.0/24"), Subnet.parse("10.244.7.0/24")],
  version: "0.2.0",
};

Deno.test("formatWorld() tells of a change what differs, parseWorld() puts it together again", () => {
  assert.equal(
    formatWorld(later, world),
    '{"version":"0.2.0","namespaces":{"added":["apps"],"removed":["shop"]},' +
      '"podSubnets":{"added":["10.244.7.0/24"],"removed":[]}}',
  );
  const parsed = parseWorld(formatWorld(later, world), world);
  assert.deepEqual(parsed, later);
  assert.equal(parsed.serviceSubnets, world.serviceSubnets);
  assert.deepEqual(parseWorld(formatWorld(world, later), later), world);
  assert.equal(formatWorld(world, world), "{}");
  assert.deepEqual(parseWorld("{}", world), world);
});

Deno.test("parseWorld() takes a list whole at any time", () => {
  assert.deepEqual(parseWorld(line, later), world);
});

Deno.test("parseWorld() rejects a change of nothing, and one that holds no names", () => {
  const change = formatWorld(later, world);
  assert.throws(() => parseWorld(change), SyntaxError);
  for (
    const bad of [change.replace("apps", "A.b"), change.replace("[]", "7")]
  ) {
    assert.throws(() => parseWorld(bad, world), SyntaxError, bad);
  }
});

Deno.test("parseWorld() passes over fields of later releases", () => {
  assert.deepEqual(parseWorld(line.replace("{", '{"later":[1],')), world);
});

Deno.test("parseWorld() rejects what is no world", () => {
  const bad = [
    "",
    "null",
    "[]",
    "{}",
    line.replace("10.96.0.0/16", "10.96.0.0/99"),
    line.replace('"default"', "7"),
    line.replace('["10.244.0.0/24"]', '"10.244.0.0/24"'),
    line.replace("shop", "Shop.x"),
    line.replace("cluster.local", "cluster..local"),
    line.replace("cluster.local", "a.".repeat(60) + "b"),
    line.slice(0, -1),
  ];
  for (const text of bad) {
    assert.throws(() => parseWorld(text), SyntaxError, text);
  }
});
