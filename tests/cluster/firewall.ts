import { must } from "./command.ts";
import { inNetns } from "./netns.ts";
import { apiServer, ranges } from "./settings.ts";

/** Interfaces of the first node that lead out of the cluster (to the host, to laptops) begin with this. */
export const outsidePrefix = "out";

/**
 * Rules of the first node. From outside one reaches the API server and nothing else, so that whatever else a laptop
 * reaches is the tool's doing; from inside nothing is begun towards the outside, so that the way back must be the
 * tool's as well. The filter stands before kube-proxy rewrites service addresses.
 *
 * - set `direct`: interfaces that may reach pods and services, for comparison.
 * - set `severed`: interfaces through which nothing passes, in neither direction.
 */
export const firstNodeRules = `
table inet tp_bed {
  set direct { type ifname; }
  set severed { type ifname; }
  chain from_outside {
    type filter hook prerouting priority raw; policy accept;
    iifname @severed drop
    iifname != "${outsidePrefix}*" accept
    iifname @direct accept
    ip daddr ${apiServer.ipv4} tcp dport ${apiServer.port} accept
    ip6 daddr ${apiServer.ipv6} tcp dport ${apiServer.port} accept
    ip daddr ${apiServer.ipv4} meta l4proto icmp accept
    ip6 daddr ${apiServer.ipv6} meta l4proto icmpv6 accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    drop
  }
  chain to_outside {
    type filter hook postrouting priority filter; policy accept;
    oifname @severed drop
    oifname "${outsidePrefix}*" ct state new drop
  }
}
`;

/** Rules of every node: pods that leave the pod range do so under the node's address. */
export const nodeRules = `
table inet tp_bed_nat {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${ranges.pods.ipv4} ip daddr != ${ranges.pods.ipv4} masquerade
    ip6 saddr ${ranges.pods.ipv6} ip6 daddr != ${ranges.pods.ipv6} masquerade
  }
}
`;

/** Loads rules into a network namespace. */
export async function loadRules(netns: string, rules: string): Promise<void> {
  await must(inNetns(netns, ["nft", "-f", "-"]), { stdin: rules });
}

/** Puts an interface of the first node into, or takes it out of, one of the sets of {@link firstNodeRules}. */
export async function changeSet(
  netns: string,
  change: {
    action: "add" | "delete";
    set: "direct" | "severed";
    interface: string;
  },
): Promise<void> {
  const command =
    `${change.action} element inet tp_bed ${change.set} { "${change.interface}" }`;
  await must(inNetns(netns, ["nft", command]));
}

/**
 * Lets the inside begin connections by an interface of the first node.
 *
 * @returns what forbids it again
 */
export async function allowTo(
  netns: string,
  name: string,
): Promise<() => Promise<void>> {
  const chain = "inet tp_bed to_outside";
  const told = await must(
    inNetns(netns, ["nft", "--echo", "--handle"]).concat(
      `insert rule ${chain} oifname "${name}" accept`,
    ),
  );
  const handle = /# handle (\d+)/.exec(told)?.[1];
  if (handle === undefined) throw new Error(`Cannot read "${told}": no handle`);
  return async () => {
    await must(
      inNetns(netns, ["nft", `delete rule ${chain} handle ${handle}`]),
    );
  };
}
