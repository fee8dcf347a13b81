/** Files of a command that has its own network. Pure. */
import { parseResolvConf } from "../../dns/mod.ts";
import type { Ip } from "../../net/mod.ts";

/** The name of the laptop's loopback where `localhost` is the command's own. */
export const laptopName = "laptop.tp.internal";

/**
 * `/etc/resolv.conf` with `nameserver` alone: it passes on to the laptop's own what is theirs. Search list and options
 * are the laptop's.
 */
export function composeResolvConf(laptop: string, nameserver: Ip): string {
  const { search, options } = parseResolvConf(laptop);
  return [
    `nameserver ${nameserver}`,
    ...search.length > 0 ? [`search ${search.join(" ")}`] : [],
    ...options.length > 0 ? [`options ${options.join(" ")}`] : [],
    "",
  ].join("\n");
}

/** The laptop's `/etc/hosts`, and {@link laptopName}. */
export function composeHosts(laptop: string, loopback: Ip): string {
  const end = laptop === "" || laptop.endsWith("\n") ? "" : "\n";
  return `${laptop}${end}${loopback} ${laptopName}\n`;
}
