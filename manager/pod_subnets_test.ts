import assert from "node:assert/strict";
import { Ip, Subnet } from "../net/mod.ts";
import { type NodeFacts, podBlock, podSubnetsOfNodes } from "./pod_subnets.ts";

const node = (...subnets: string[]): NodeFacts => ({
  podSubnets: subnets.map((text) => Subnet.parse(text)),
  addresses: [],
});
const ips = (...texts: string[]) => texts.map((text) => Ip.parse(text));

Deno.test("podSubnetsOfNodes() takes what all nodes say, sorted and joined", () => {
  const nodes = [
    node("10.244.1.0/24", "fd00:244:0:1::/64"),
    node("10.244.0.0/24", "fd00:244::/64"),
    node("10.244.0.0/24"),
  ];
  assert.deepEqual(
    podSubnetsOfNodes(nodes, ips("10.244.1.5", "fd00:244::5"))?.map(String),
    ["10.244.0.0/23", "fd00:244::/63"],
  );
});

Deno.test("podSubnetsOfNodes() does not rely on nodes that say nothing", () => {
  assert.equal(
    podSubnetsOfNodes([node("10.244.0.0/24"), node()], []),
    undefined,
  );
  assert.equal(podSubnetsOfNodes([], []), undefined);
});

Deno.test("podSubnetsOfNodes() does not rely on nodes when this pod lives elsewhere", () => {
  const nodes = [node("10.244.0.0/24")];
  assert.equal(podSubnetsOfNodes(nodes, ips("172.20.0.5")), undefined);
  assert.equal(
    podSubnetsOfNodes(nodes, ips("10.244.0.5", "fd00::5")),
    undefined,
  );
});

Deno.test("podBlock() is what is around a pod's address", () => {
  assert.deepEqual(
    ips("172.20.1.200", "fd00:7::1:2").map((ip) => String(podBlock(ip))),
    ["172.20.1.0/24", "fd00:7::/64"],
  );
});
