import type { ClusterAccess } from "../k8s/mod.ts";
import { Ip } from "../net/mod.ts";

/**
 * Addresses that must stay outside the tunnel, since the tunnel runs over them: those of the API server and of the
 * proxy before it. A name that does not resolve gives none: the connection was made, so the next look will.
 */
export async function carrierAddresses(
  { server, proxy }: Pick<ClusterAccess, "server" | "proxy">,
): Promise<Ip[]> {
  const urls = proxy === undefined ? [server] : [server, proxy];
  const { lookup } = await import("node:dns/promises");
  const found = await Promise.all(urls.map(async ({ hostname }) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    const literal = Ip.tryParse(host);
    if (literal) return [literal];
    const answers = await lookup(host, { all: true }).catch(() => []);
    return answers.map(({ address }) => Ip.parse(address));
  }));
  return found.flat();
}
