import type { DirectOffer } from "../../manager/api.ts";
import { type Conn, type Ip, RefusedError } from "../../net/mod.ts";
import { dialTls } from "../../tcp/mod.ts";

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
  const { endpoint: { host, port }, name, certificate } = offer;
  let last: unknown;
  for (const ip of addresses) {
    try {
      return await dialTls({
        ...{ hostname: String(ip), port, name, authorities: certificate },
      }, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(dialMs)]),
      });
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  const state = last instanceof Error ? last.message : "it has no address";
  const detail = `Cannot reach "${host}" at port ${port}: ${state}`;
  throw new RefusedError("failed", detail);
}
