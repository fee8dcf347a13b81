/**
 * Where each flow of the laptop goes: names to our DNS, all else through a manager, to the address behind a virtual one,
 * which the manager dials or a pod of a workload.
 */
import type { Dns } from "../../dns/mod.ts";
import type { PodWish, Protocol } from "../../manager/api.ts";
import type { Manager } from "../../manager/client.ts";
import { type Ip, RefusedError } from "../../net/mod.ts";
import type { Dial, DialDatagrams, DialEchoes } from "../../vpn/mod.ts";
import { DnsDoor } from "./dns_door.ts";
import type { NetworkMember } from "./network_member.ts";

export interface DialerOptions {
  dns: Dns;
  /** The virtual addresses of our DNS inside the TUN subnets. */
  dnsAddresses: Ip[];
  /**
   * Whose an address is.
   *
   * @throws {RefusedError}
   */
  owner: (ip: Ip) => NetworkMember;
}

/** The capabilities that the VPN is given. */
export function dialer(
  { dns, dnsAddresses, owner }: DialerOptions,
): { dial: Dial; dialDatagrams: DialDatagrams; dialEchoes: DialEchoes } {
  const door = new DnsDoor(dns, dnsAddresses);
  const reach = async <T>(
    to: Ip,
    signal: AbortSignal,
    open: (manager: Manager, from: { ip: Ip; exit?: string }) => Promise<T>,
  ): Promise<T> => {
    const { addresses, mapped, vias, options: { link } } = owner(to);
    const ip = addresses.dialled(to);
    await mapped.mustReach(ip);
    return await vias.through(ip, {
      signal,
      open: (exit) =>
        link.use((manager) =>
          open(manager, exit === undefined ? { ip } : { ip, exit })
        ),
    });
  };
  return {
    dial: async (to, { signal }) =>
      door.dial(to) ?? await reach(
        to.ip,
        signal,
        (manager, { ip, exit }) =>
          exit === undefined
            ? manager.dial(ip, to.port, { signal })
            : manager.pod(exit, wishOf(ip, to, "TCP"), { signal }),
      ),
    dialDatagrams: async (to, { from, signal }) =>
      door.dialDatagrams(to) ?? await reach(
        to.ip,
        signal,
        (manager, { ip, exit }) =>
          exit === undefined
            ? manager.dialDatagrams(ip, to.port, { signal, source: from })
            : manager.podDatagrams(exit, wishOf(ip, to, "UDP"), { signal }),
      ),
    async dialEchoes(to, { signal }) {
      door.mustNotBe(to);
      return await reach(to, signal, (manager, { ip, exit }) => {
        if (exit === undefined) return manager.dialEchoes(ip, { signal });
        throw new RefusedError("forbidden", "Agents do not ping");
      });
    },
  };
}

function wishOf(
  ip: Ip,
  { port }: { port: number },
  protocol: Protocol,
): PodWish {
  return { kind: "address", ip, port: { port, protocol } };
}
