import { must } from "./command.ts";
import { linksSettled, nodeEnd, nodeInterface } from "./laptop_network.ts";
import { inNetns, ipBatch } from "./netns.ts";
import { nodeSettings } from "./settings.ts";

/**
 * Cuts a laptop's link to the bed in two: both halves lead into the network namespace of a process, as interfaces
 * `laptop` and `node`, and nothing passes but what that process carries between them. Neither end of the link notices:
 * names, addresses (those of the hardware too) and routes stay.
 */
export async function divertClusterLink(
  { netns, number, into }: { netns: string; number: number; into: number },
): Promise<void> {
  const node = nodeSettings(1).netns;
  const name = nodeInterface(number);
  const [link] = JSON.parse(
    await must(["ip", "-n", node, "-json", "link", "show", name]),
  ) as [{ address: string }];
  await ipBatch(node, [
    `link set ${name} netns ${into} name laptop`,
    `link add ${name} address ${link.address} type veth peer name node netns ${into}`,
    ...nodeEnd(number),
  ]);
  await inNamespaceOf(into, ["link set laptop up", "link set node up"]);
  await linksSettled(netns);
}

/** Makes one of the two halves again. */
export async function restoreClusterLink(
  { netns, number, into }: { netns: string; number: number; into: number },
): Promise<void> {
  const node = nodeSettings(1).netns;
  const name = nodeInterface(number);
  await ipBatch(node, [`link del ${name}`]);
  await inNamespaceOf(into, [`link set laptop netns ${node} name ${name}`]);
  await ipBatch(node, nodeEnd(number));
  await linksSettled(netns);
}

/** Lets a laptop and the node send super-packets over their link, which count as one, or only what a wire carries. */
export async function setSuperPackets(
  { netns, number, allowed }: {
    netns: string;
    number: number;
    allowed: boolean;
  },
): Promise<void> {
  const segments = `gso_max_segs ${allowed ? 65535 : 1}`;
  await ipBatch(netns, [`link set cluster0 ${segments}`]);
  const name = nodeInterface(number);
  await ipBatch(nodeSettings(1).netns, [`link set ${name} ${segments}`]);
}

/** Sets the largest packet of a laptop's link. */
export async function setLinkMtu(
  { netns, number, mtu }: { netns: string; number: number; mtu: number },
): Promise<void> {
  await ipBatch(netns, [`link set cluster0 mtu ${mtu}`]);
  const name = nodeInterface(number);
  await ipBatch(nodeSettings(1).netns, [`link set ${name} mtu ${mtu}`]);
}

/** Has both ends of a laptop's link send as one of the kernel's algorithms says. */
export async function setLinkCongestionControl(
  { netns, number, algorithm }: {
    netns: string;
    number: number;
    algorithm: string;
  },
): Promise<void> {
  const node = nodeSettings(1).netns;
  await setCongestionControl(inNetns(netns, []), "cluster0", algorithm);
  await setCongestionControl(
    inNetns(node, []),
    nodeInterface(number),
    algorithm,
  );
}

/**
 * Has what is sent over a device's IPv4 routes, which are there by now, follow one of the kernel's algorithms.
 *
 * @param enter the words of a command that runs another one where the device is
 */
export async function setCongestionControl(
  enter: readonly string[],
  device: string,
  algorithm: string,
): Promise<void> {
  const routes = await must([...enter, "ip", "route", "show", "dev", device]);
  const lines = routes.trim().split("\n").filter((line) => line !== "")
    .map((line) => line.replace(/ congctl \S+/, ""))
    .map((line) => `route replace ${line} dev ${device} congctl ${algorithm}`);
  await must([...enter, "ip", "-batch", "-"], { stdin: lines.join("\n") });
}

/** Runs `ip` commands where a process is. */
async function inNamespaceOf(
  pid: number,
  lines: readonly string[],
): Promise<void> {
  await must(
    ["nsenter", `--net=/proc/${pid}/ns/net`, "--", "ip", "-batch", "-"],
    { stdin: lines.join("\n") },
  );
}
