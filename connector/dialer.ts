/** Where each flow of the laptop goes: names to our DNS, all else through the manager, to the address behind a virtual one. */
import type { Dns } from "../dns/mod.ts";
import type { Ip } from "../net/mod.ts";
import type { Dial, DialDatagrams, DialEchoes } from "../vpn/mod.ts";
import type { ClusterAddresses } from "./cluster_addresses.ts";
import { DnsDoor } from "./dns_door.ts";
import type { ManagerLink } from "./link.ts";
import type { MappedAddresses } from "./mapped_addresses.ts";

export interface DialerOptions {
  link: ManagerLink;
  dns: Dns;
  addresses: ClusterAddresses;
  mapped: MappedAddresses;
  /** The virtual addresses of our DNS inside the TUN subnets. */
  dnsAddresses: Ip[];
}

/** The capabilities that the VPN is given. */
export function dialer(
  { link, dns, addresses, mapped, dnsAddresses }: DialerOptions,
): { dial: Dial; dialDatagrams: DialDatagrams; dialEchoes: DialEchoes } {
  const door = new DnsDoor(dns, dnsAddresses);
  return {
    async dial(to, { signal }) {
      const conn = door.dial(to);
      if (conn) return conn;
      const ip = addresses.dialled(to.ip);
      await mapped.mustReach(ip);
      return await link.use((manager) => manager.dial(ip, to.port, { signal }));
    },
    async dialDatagrams(to, { signal }) {
      const datagrams = door.dialDatagrams(to);
      if (datagrams) return datagrams;
      const ip = addresses.dialled(to.ip);
      await mapped.mustReach(ip);
      return await link.use((manager) =>
        manager.dialDatagrams(ip, to.port, { signal })
      );
    },
    async dialEchoes(to, { signal }) {
      door.mustNotBe(to);
      const ip = addresses.dialled(to);
      await mapped.mustReach(ip);
      return await link.use((manager) => manager.dialEchoes(ip, { signal }));
    },
  };
}
