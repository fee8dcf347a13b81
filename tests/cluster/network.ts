import { must, run } from "./command.ts";
import {
  firstNodeRules,
  loadRules,
  nodeRules,
  outsidePrefix,
} from "./firewall.ts";
import { inNetns, ipBatch } from "./netns.ts";
import {
  congestionControl,
  hostLink,
  type NodeSettings,
  nodeSettings,
  peerLink,
} from "./settings.ts";

/** Makes the first node's namespace and its link to the host. */
export async function makeFirstNodeNetwork(): Promise<void> {
  const node = nodeSettings(1);
  const uplink = `${outsidePrefix}0`;
  await must(["ip", "netns", "add", node.netns]);
  await ipBatch(undefined, [
    `link add ${hostLink.name} type veth peer name ${uplink} netns ${node.netns}`,
    `addr add ${hostLink.ipv4}/24 dev ${hostLink.name}`,
    `addr add ${hostLink.ipv6}/64 dev ${hostLink.name} nodad`,
    `link set ${hostLink.name} up`,
  ]);
  await prepareNode(node, uplink, hostLink);
  await loadRules(node.netns, firstNodeRules);
}

/** Makes the second node's namespace, its link to the first node, and the routes between their pods. */
export async function makeSecondNodeNetwork(): Promise<void> {
  const first = nodeSettings(1);
  const second = nodeSettings(2);
  await must(["ip", "netns", "add", second.netns]);
  await ipBatch(first.netns, [
    `link add ${peerLink.name} type veth peer name uplink netns ${second.netns}`,
    `addr add ${peerLink.ipv4}/24 dev ${peerLink.name}`,
    `addr add ${peerLink.ipv6}/64 dev ${peerLink.name} nodad`,
    `link set ${peerLink.name} up`,
    `route add ${second.pods.ipv4} via ${second.ipv4}`,
    `route add ${second.pods.ipv6} via ${second.ipv6}`,
  ]);
  await prepareNode(second, "uplink", peerLink);
}

/** Removes the host's end of the link, which outlives its other end only if `up` failed half-way. */
export async function removeHostLink(): Promise<void> {
  if ((await run(["ip", "link", "show", hostLink.name])).code !== 0) return;
  await must(["ip", "link", "del", hostLink.name]);
}

async function prepareNode(
  node: NodeSettings,
  uplink: string,
  gateway: { ipv4: string; ipv6: string },
): Promise<void> {
  await ipBatch(node.netns, [
    "link set lo up",
    `addr add ${node.ipv4}/24 dev ${uplink}`,
    `addr add ${node.ipv6}/64 dev ${uplink} nodad`,
    `link set ${uplink} up`,
    `route add default via ${gateway.ipv4}`,
    `route add default via ${gateway.ipv6}`,
  ]);
  await must(
    inNetns(node.netns, [
      "sysctl",
      "-qw",
      "net.ipv4.ip_forward=1",
      "net.ipv4.conf.all.route_localnet=1",
      "net.ipv6.conf.all.forwarding=1",
      congestionControl,
    ]),
  );
  await loadRules(node.netns, nodeRules);
}
