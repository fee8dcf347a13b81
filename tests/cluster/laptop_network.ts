import { must, run } from "./command.ts";
import { outsidePrefix } from "./firewall.ts";
import { inNetns, ipBatch } from "./netns.ts";
import { outside } from "./outside.ts";
import {
  apiServer,
  congestionControl,
  nodeSettings,
  ranges,
} from "./settings.ts";
import { waitFor } from "./wait.ts";

/** The addresses of a laptop's two links. */
export interface LaptopAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly gateway: { readonly ipv4: string; readonly ipv6: string };
}

/** The link to the API server, `cluster0`. */
export function clusterLink(number: number): LaptopAddresses {
  return addresses(`10.97.${number}`, `fd00:97:${number.toString(16)}:`);
}

/** The link to the rest of the world, `eth0`. */
export function outsideLink(number: number): LaptopAddresses {
  return addresses(`172.31.${number}`, `2001:db8:${number.toString(16)}:`);
}

/** The interface of the first node that leads to a laptop. */
export function nodeInterface(number: number): string {
  return `${outsidePrefix}${number}`;
}

/** The link of an earlier laptop of the number: the kernel takes a namespace apart when its last process is gone. */
export async function removeLink(netns: string, name: string): Promise<void> {
  await run(["ip", "-n", netns, "link", "del", name]);
}

/** Makes a laptop's network namespace and its link to the outside world. */
export async function makeLaptopNetwork(
  netns: string,
  number: number,
): Promise<void> {
  const { ipv4, ipv6, gateway } = outsideLink(number);
  await must(["ip", "netns", "add", netns]);
  await must(
    inNetns(netns, ["sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"])
      .concat("net.ipv6.conf.default.accept_ra=0", congestionControl),
  );
  await removeLink(outside.netns, `lap${number}`);
  await ipBatch(outside.netns, [
    `link add lap${number} type veth peer name eth0 netns ${netns}`,
    `addr add ${gateway.ipv4}/24 dev lap${number}`,
    `addr add ${gateway.ipv6}/64 dev lap${number} nodad`,
    `link set lap${number} up`,
  ]);
  await ipBatch(netns, [
    "link set lo up",
    `addr add ${ipv4}/24 dev eth0`,
    `addr add ${ipv6}/64 dev eth0 nodad`,
    "link set eth0 up",
    `route add default via ${gateway.ipv4}`,
    `route add default via ${gateway.ipv6}`,
  ]);
}

/**
 * Links a laptop to the bed's first node, where it reaches the API server only.
 *
 * @returns lines for the laptop's /etc/hosts
 */
export async function linkToBed(
  netns: string,
  number: number,
): Promise<string> {
  const { ipv4, ipv6 } = clusterLink(number);
  const inNode = nodeInterface(number);
  await removeLink(nodeSettings(1).netns, inNode);
  await ipBatch(nodeSettings(1).netns, [
    `link add ${inNode} type veth peer name cluster0 netns ${netns}`,
    ...nodeEnd(number),
  ]);
  await ipBatch(netns, [
    `addr add ${ipv4}/24 dev cluster0`,
    `addr add ${ipv6}/64 dev cluster0 nodad`,
    "link set cluster0 up",
    ...toApiServer(number),
  ]);
  return "";
}

/** The routes by which a laptop reaches the API server, as `ip` commands. */
export function toApiServer(number: number): string[] {
  const { gateway } = clusterLink(number);
  return [
    `route replace ${apiServer.ipv4} via ${gateway.ipv4}`,
    `route replace ${apiServer.ipv6} via ${gateway.ipv6}`,
  ];
}

/** What makes the node's end of a laptop's link of an interface that is there, as `ip` commands. */
export function nodeEnd(number: number): string[] {
  const { gateway } = clusterLink(number);
  const name = nodeInterface(number);
  return [
    `addr add ${gateway.ipv4}/24 dev ${name}`,
    `addr add ${gateway.ipv6}/64 dev ${name} nodad`,
    `link set ${name} up`,
  ];
}

/** Waits until every link of a laptop has its carrier and its link-local address, so that nothing changes by itself. */
export async function linksSettled(netns: string): Promise<void> {
  await waitFor(`settled links of ${netns}`, async () => {
    const text = await must(["ip", "-n", netns, "-json", "addr"]);
    const links: IpLink[] = JSON.parse(text);
    return links.every(isSettled) || text;
  }, { timeoutMs: 10_000, everyMs: 10 });
}

/** What `ip -json addr` says of a link, as far as it is read here. */
interface IpLink {
  readonly "link_type": string;
  readonly operstate: string;
  readonly "addr_info": readonly { readonly local: string }[];
}

function isSettled(link: IpLink): boolean {
  return link["link_type"] !== "ether" || link.operstate === "UP" &&
      link["addr_info"].some(({ local }) => local.startsWith("fe80:"));
}

/** The routes by which a laptop reaches pods and services through the first node, as `ip` commands without verb. */
export function directRoutes(number: number): string[] {
  const { gateway } = clusterLink(number);
  return [ranges.services, ranges.pods].flatMap(({ ipv4, ipv6 }) => [
    `${ipv4} via ${gateway.ipv4}`,
    `${ipv6} via ${gateway.ipv6}`,
  ]);
}

function addresses(prefix4: string, prefix6: string): LaptopAddresses {
  return {
    ipv4: `${prefix4}.2`,
    ipv6: `${prefix6}:2`,
    gateway: { ipv4: `${prefix4}.1`, ipv6: `${prefix6}:1` },
  };
}
