import { Ip } from "../net/mod.ts";

/** What the kubelet wrote into the pod's `/etc/resolv.conf`. */
export interface PodResolvConf {
  readonly nameserver: Ip;
  readonly clusterDomain: string;
}

/** Where a cluster has its names unless its admin chose otherwise. */
const usualClusterDomain = "cluster.local";

/**
 * Parses the file of a pod with `dnsPolicy: ClusterFirst`. The cluster domain is what stands behind `svc.` in the
 * search list.
 *
 * @throws {SyntaxError} when it names no nameserver.
 */
export function parsePodResolvConf(text: string): PodResolvConf {
  const lines = text.split("\n").map((line) => line.split(/\s+/));
  const nameserver = lines.filter(([keyword]) => keyword === "nameserver")
    .map(([, address]) => Ip.tryParse(address ?? ""))
    .find((ip) => ip !== undefined);
  if (nameserver === undefined) {
    throw new SyntaxError("Cannot parse /etc/resolv.conf: no nameserver");
  }
  const search = lines.filter(([keyword]) => keyword === "search").at(-1) ?? [];
  const services = search.slice(1).find((domain) => domain.startsWith("svc."));
  const clusterDomain = services?.slice("svc.".length).replace(/\.$/, "");
  return { nameserver, clusterDomain: clusterDomain || usualClusterDomain };
}
