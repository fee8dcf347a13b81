/** Where each flow of the laptop goes: names to our DNS, all else through the manager. */
import type { Dns } from "../dns/mod.ts";
import type { Ip } from "../net/mod.ts";
import type { Dial, DialDatagrams } from "../vpn/mod.ts";
import { DnsDoor } from "./dns_door.ts";
import type { ManagerLink } from "./link.ts";

export interface DialerOptions {
  link: ManagerLink;
  dns: Dns;
  /** The virtual addresses of our DNS inside the TUN subnets. */
  dnsAddresses: Ip[];
}

/** The two capabilities that the VPN is given. */
export function dialer(
  { link, dns, dnsAddresses }: DialerOptions,
): { dial: Dial; dialDatagrams: DialDatagrams } {
  const door = new DnsDoor(dns, dnsAddresses);
  return {
    async dial(to, { signal }) {
      return door.dial(to) ??
        await link.use((manager) => manager.dial(to.ip, to.port, { signal }));
    },
    async dialDatagrams(to, { signal }) {
      return door.dialDatagrams(to) ??
        await link.use((manager) =>
          manager.dialDatagrams(to.ip, to.port, { signal })
        );
    },
  };
}
