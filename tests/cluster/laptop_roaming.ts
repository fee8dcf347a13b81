import {
  clusterLink,
  type LaptopAddresses,
  linksSettled,
  nodeInterface,
  outsideLink,
  removeLink,
  toApiServer,
} from "./laptop_network.ts";
import { ipBatch } from "./netns.ts";
import { outside } from "./outside.ts";
import { nodeSettings } from "./settings.ts";

interface Place {
  readonly netns: string;
  readonly number: number;
}

/** The link in the other network, as the laptop has it. */
const link = "wlan0";

/**
 * Takes a laptop into another network of the bed: another link, other addresses, another default route, by which the API
 * server is reached. The former link goes down, and its addresses with it. The world outside stays where it was.
 */
export async function enterOtherNetwork(
  { netns, number }: Place,
): Promise<void> {
  const node = nodeSettings(1).netns;
  const inNode = `${nodeInterface(number)}w`;
  const { gateway, ...own } = otherLink(number);
  const here = clusterLink(number);
  await removeLink(node, inNode);
  await ipBatch(node, [
    `link add ${inNode} type veth peer name ${link} netns ${netns}`,
    `addr add ${gateway.ipv4}/24 dev ${inNode}`,
    `addr add ${gateway.ipv6}/64 dev ${inNode} nodad`,
    `link set ${inNode} up`,
  ]);
  await ipBatch(netns, [
    `addr add ${own.ipv4}/24 dev ${link}`,
    `addr add ${own.ipv6}/64 dev ${link} nodad`,
    `link set ${link} up`,
    `addr del ${here.ipv4}/24 dev cluster0`,
    `addr del ${here.ipv6}/64 dev cluster0`,
    "link set cluster0 down",
    `route add ${outside.dns.ipv4} via ${outsideLink(number).gateway.ipv4}`,
    `route replace default via ${gateway.ipv4}`,
    `route replace default via ${gateway.ipv6}`,
  ]);
}

/** Gives a laptop other addresses on its links, as a lease does that ends: nothing from the former ones arrives any more. */
export async function takeOtherAddresses(place: Place): Promise<void> {
  await changeAddresses(place, { from: usual, to: other });
}

/** Gives it the former ones back. */
export async function takeUsualAddresses(place: Place): Promise<void> {
  await changeAddresses(place, { from: other, to: usual });
}

/** Takes it back to where it was. */
export async function leaveOtherNetwork(
  { netns, number }: Place,
): Promise<void> {
  const there = outsideLink(number).gateway;
  const here = clusterLink(number);
  await ipBatch(netns, [
    `link del ${link}`,
    `addr add ${here.ipv4}/24 dev cluster0`,
    `addr add ${here.ipv6}/64 dev cluster0 nodad`,
    "link set cluster0 up",
    ...toApiServer(number),
    `route del ${outside.dns.ipv4}`,
    `route replace default via ${there.ipv4}`,
    `route replace default via ${there.ipv6}`,
  ]);
  await linksSettled(netns);
}

function otherLink(number: number) {
  const ipv4 = `10.95.${number}`;
  const ipv6 = `fd00:95:${number.toString(16)}:`;
  return {
    ipv4: `${ipv4}.2`,
    ipv6: `${ipv6}:2`,
    gateway: { ipv4: `${ipv4}.1`, ipv6: `${ipv6}:1` },
  };
}

type AddressOf = (link: LaptopAddresses) => LaptopAddresses;

const usual: AddressOf = (link) => link;
const other: AddressOf = ({ ipv4, ipv6, gateway }) => ({
  ipv4: ipv4.replace(/\d+$/, "102"),
  ipv6: ipv6.replace(/\d+$/, "102"),
  gateway,
});

/** The routes of a link go with its last address. */
async function changeAddresses(
  { netns, number }: Place,
  { from, to }: { from: AddressOf; to: AddressOf },
): Promise<void> {
  const links = { cluster0: clusterLink(number), eth0: outsideLink(number) };
  const change = (verb: "del" | "add", addressOf: AddressOf) =>
    Object.entries(links).flatMap(([link, addresses]) => {
      const { ipv4, ipv6 } = addressOf(addresses);
      const flags = verb === "add" ? " nodad" : "";
      return [
        `addr ${verb} ${ipv4}/24 dev ${link}`,
        `addr ${verb} ${ipv6}/64 dev ${link}${flags}`,
      ];
    });
  const { gateway } = links.eth0;
  await ipBatch(netns, [
    ...change("del", from),
    ...change("add", to),
    ...toApiServer(number),
    `route replace default via ${gateway.ipv4}`,
    `route replace default via ${gateway.ipv6}`,
  ]);
}
