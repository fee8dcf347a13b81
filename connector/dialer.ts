/** Where each flow of the laptop goes: names to our DNS, all else through the manager. */
import type { Dns } from "../dns/mod.ts";
import { connPair, type Ip, RefusedError } from "../net/mod.ts";
import type { Dial, DialDatagrams } from "../vpn/mod.ts";
import type { ManagerLink } from "./link.ts";

const dnsPort = 53;

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
  const isDns = (ip: Ip) => dnsAddresses.some((one) => one.equals(ip));
  const mustBeDnsPort = (port: number) => {
    if (port === dnsPort) return;
    throw new RefusedError("refused", `Nothing listens on port ${port} there`);
  };
  return {
    async dial(to, { signal }) {
      if (isDns(to.ip)) {
        mustBeDnsPort(to.port);
        const [app, ours] = connPair();
        dns.serve(ours);
        return app;
      }
      return await link.use((manager) =>
        manager.dial(to.ip, to.port, { signal })
      );
    },
    async dialDatagrams(to, { signal }) {
      if (isDns(to.ip)) {
        mustBeDnsPort(to.port);
        return dns.datagrams();
      }
      return await link.use((manager) =>
        manager.dialDatagrams(to.ip, to.port, { signal })
      );
    },
  };
}
