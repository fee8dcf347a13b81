import { TcpConn } from "./tcp_conn.ts";

export interface TlsEnd {
  /** An address, or a name that the system resolves. */
  readonly hostname: string;
  readonly port: number;
  /** The name that the server's certificate must bear. */
  readonly name: string;
  /** PEM: whose certificates are taken. Who has Deno trust an authority of their own (DENO_CERT) trusts it here too. */
  readonly authorities: string;
}

/**
 * A connection with TLS whose handshake is done.
 *
 * @throws what the system or TLS says, or the signal's reason.
 */
export async function dialTls(
  { hostname, port, name, authorities }: TlsEnd,
  { signal }: { signal: AbortSignal },
): Promise<TcpConn> {
  const below = await Deno.connect({ hostname, port, signal });
  below.setNoDelay(true);
  below.setKeepAlive(true);
  // It begins when somebody reads, writes, or wants the handshake; and takes the connection over.
  const conn = await Deno.startTls(below, {
    hostname: name,
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
