import { agentPort, managerTlsName } from "../manager/api.ts";
import type { Conn } from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";

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
  const below = await Deno.connect({ hostname: address, port, signal });
  below.setNoDelay(true);
  below.setKeepAlive(true);
  // It begins when somebody reads, writes, or wants the handshake; and takes the connection over.
  const conn = await Deno.startTls(below, {
    hostname: managerTlsName,
    caCerts: [authorities],
  });
  const carrier = new TcpConn(conn);
  // The runtime closes no connection whose handshake is under way: it would wait for the peer.
  const reset = () => carrier.reset();
  signal.addEventListener("abort", reset, { once: true });
  try {
    signal.throwIfAborted();
    await conn.handshake();
    return carrier;
  } catch (error) {
    reset();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", reset);
  }
}
