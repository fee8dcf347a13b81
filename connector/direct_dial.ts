import type { DirectOffer } from "../manager/api.ts";
import { type Conn, type Ip, RefusedError } from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";

/** From the first packet to the end of TLS's handshake, in ms: who does not answer by then is behind a firewall. */
const dialMs = 5_000;

/**
 * A connection to one of the addresses of the manager's direct endpoint. Nobody but the manager is taken: the name is one
 * that no public authority certifies (RFC 6761 section 6.4), and the certificate the one that the session brought. Who has
 * Deno trust an authority of their own (DENO_CERT, DENO_TLS_CA_STORE) trusts it here too.
 *
 * @throws {RefusedError} `failed` when no address answers so, or the signal's reason.
 */
export async function dialDirect(
  offer: DirectOffer,
  { addresses, signal }: { addresses: readonly Ip[]; signal: AbortSignal },
): Promise<Conn> {
  let last: unknown;
  for (const ip of addresses) {
    try {
      return await dialOne(offer, {
        ip,
        signal: AbortSignal.any([signal, AbortSignal.timeout(dialMs)]),
      });
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  const { host, port } = offer.endpoint;
  const state = last instanceof Error ? last.message : "it has no address";
  const detail = `Cannot reach "${host}" at port ${port}: ${state}`;
  throw new RefusedError("failed", detail);
}

async function dialOne(
  { endpoint: { port }, name, certificate }: DirectOffer,
  { ip, signal }: { ip: Ip; signal: AbortSignal },
): Promise<Conn> {
  const below = await Deno.connect({ hostname: String(ip), port, signal });
  below.setNoDelay(true);
  below.setKeepAlive(true);
  // It begins when somebody reads, writes, or wants the handshake; and takes the connection over.
  const conn = await Deno.startTls(below, {
    hostname: name,
    caCerts: [certificate],
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
