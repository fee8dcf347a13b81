import { agentPort, managerTlsName } from "../manager/api.ts";
import type { Conn } from "../net/mod.ts";
import { dialTls } from "../tcp/mod.ts";

/** From the first packet to the end of TLS's handshake, in ms. */
const dialMs = 5_000;

export interface DialManagerOptions {
  /** PEM: whose certificates are taken. */
  readonly authorities: string;
  readonly port?: number;
  readonly signal: AbortSignal;
}

/**
 * A connection to the copy of the manager at `address`. Nobody but the manager is taken: the name is one that no public
 * authority certifies (RFC 6761 section 6.4).
 *
 * @throws what the system or TLS says; the signal's reason; `TimeoutError` after 5 s.
 */
export async function dialManager(
  address: string,
  { authorities, port = agentPort, ...options }: DialManagerOptions,
): Promise<Conn> {
  const timeout = AbortSignal.timeout(dialMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  const end = { hostname: address, port, name: managerTlsName, authorities };
  return await dialTls(end, { signal });
}
