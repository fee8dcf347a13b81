import type { Dns } from "../../dns/mod.ts";
import {
  type Conn,
  connPair,
  type Datagrams,
  type Endpoint,
  type Ip,
  RefusedError,
} from "../../net/mod.ts";

const dnsPort = 53;

/** Where a DNS that has addresses of no host is asked. */
export class DnsDoor {
  readonly #dns: Dns;
  readonly #addresses: readonly Ip[];

  /** @param addresses The virtual addresses of `dns` inside the TUN subnets. */
  constructor(dns: Dns, addresses: readonly Ip[]) {
    this.#dns = dns;
    this.#addresses = addresses;
  }

  /**
   * A connection on which queries are answered; `undefined` when it is to somebody else.
   *
   * @throws {RefusedError} when it is to another port.
   */
  dial(to: Endpoint): Conn | undefined {
    if (!this.#isHere(to)) return undefined;
    const [app, ours] = connPair();
    this.#dns.serve(ours);
    return app;
  }

  /** As {@link dial}, for datagrams. */
  dialDatagrams(to: Endpoint): Datagrams | undefined {
    return this.#isHere(to) ? this.#dns.datagrams() : undefined;
  }

  /** @throws {RefusedError} when `ip` is one of its addresses: only queries are answered there. */
  mustNotBe(ip: Ip): void {
    if (!this.#has(ip)) return;
    throw new RefusedError(
      "unknown-target",
      `Only names are asked for at ${ip}`,
    );
  }

  #has(ip: Ip): boolean {
    return this.#addresses.some((one) => one.equals(ip));
  }

  #isHere({ ip, port }: Endpoint): boolean {
    if (!this.#has(ip)) return false;
    if (port === dnsPort) return true;
    throw new RefusedError("refused", `Nothing listens on port ${port} there`);
  }
}
