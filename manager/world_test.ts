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
