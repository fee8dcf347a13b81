import assert from "node:assert/strict";
import { cniConfig, kubeletConfig, kubeletFlags } from "./node_config.ts";
import { containerdConfig, containerdSocket } from "./node_config.ts";
import { nodeSettings } from "./settings.ts";

const maxUnixPathBytes = 107;

Deno.test("the nodes share no address, pod range, namespace or cgroup", () => {
  const [first, second] = [nodeSettings(1), nodeSettings(2)];
  for (const key of ["name", "netns", "ipv4", "ipv6", "cgroup"] as const) {
    assert.notEqual(first[key], second[key]);
  }
  assert.deepEqual(first.pods, {
    ipv4: "10.244.0.0/24",
    ipv6: "fd00:244::/64",
  });
  assert.deepEqual(second.pods, {
    ipv4: "10.244.1.0/24",
    ipv6: "fd00:244:0:1::/64",
  });
});

Deno.test("cniConfig() gives pods an address of each family from the node's ranges", () => {
  const [bridge] = cniConfig(nodeSettings(2)).plugins;
  assert.deepEqual(bridge?.ipam?.ranges, [
    [{ subnet: "10.244.1.0/24" }],
    [{ subnet: "fd00:244:0:1::/64" }],
  ]);
});

Deno.test("kubeletConfig() accepts a machine with cgroup v1 and swap", () => {
  const config = kubeletConfig(nodeSettings(1));
  assert.equal(config.failCgroupV1, false);
  assert.equal(config.failSwapOn, false);
  assert.equal(config.cgroupRoot, "/tp-node1");
});

Deno.test("kubeletFlags() name both addresses of the node", () => {
  assert.ok(
    kubeletFlags(nodeSettings(2)).includes("--node-ip=10.98.0.2,fd00:98::2"),
  );
});

Deno.test("containerdConfig() names a socket whose path is short enough", () => {
  const node = nodeSettings(1);
  const socket = containerdSocket(node);
  assert.ok(new TextEncoder().encode(socket).length <= maxUnixPathBytes);
  assert.match(containerdConfig(node, "/cni"), RegExp(`address = "${socket}"`));
});
