import { Ip } from "../net/mod.ts";

/** What the kubelet wrote into the pod's `/etc/resolv.conf`. */
export interface PodResolvConf {
  /** In the order in which they are asked. */
  readonly nameservers: readonly [Ip, ...Ip[]];
  readonly clusterDomain: string;
}

/** Where a cluster has its names unless its admin chose otherwise. */
const usualClusterDomain = "cluster.local";
/** What stands behind these is nothing to a pod either (MAXNS of resolv.conf(5)). */
const maxNameservers = 3;

/**
 * Parses the file of a pod with `dnsPolicy: ClusterFirst`. The cluster domain is what stands behind `svc.` in the
 * search list.
 *
 * @throws {SyntaxError} when it names no nameserver.
 */
export function parsePodResolvConf(text: string): PodResolvConf {
  const lines = text.split("\n").map((line) => line.split(/\s+/));
  const [first, ...others] = lines
    .filter(([keyword]) => keyword === "nameserver")
    .flatMap(([, address = ""]) => Ip.tryParse(address) ?? [])
    .slice(0, maxNameservers);
  if (first === undefined) {
    throw new SyntaxError("Cannot parse /etc/resolv.conf: no nameserver");
  }
  const search = lines.filter(([keyword]) => keyword === "search").at(-1) ?? [];
  const services = search.slice(1).find((domain) => domain.startsWith("svc."));
  const clusterDomain = services?.slice("svc.".length).replace(/\.$/, "");
  return {
    nameservers: [first, ...others],
    clusterDomain: clusterDomain || usualClusterDomain,
  };
}
