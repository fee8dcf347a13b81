import {
  DnsFrameReader,
  encodeDnsFrame,
  formatEndpoint,
  type Ip,
  writeAll,
} from "../net/mod.ts";

/**
 * Asks one nameserver over a TCP connection of its own.
 *
 * @throws {Error} when it can not be reached, hangs up, or the signal fires.
 */
export async function askOverTcp(
  query: Uint8Array,
  { to, port, signal }: { to: Ip; port: number; signal: AbortSignal },
): Promise<Uint8Array> {
  signal.throwIfAborted();
  const conn = await Deno.connect({ hostname: `${to}`, port, signal });
  const close = onceClose(conn);
  signal.addEventListener("abort", close, { once: true });
  try {
    await writeAll(conn, encodeDnsFrame(query));
    const answer = await new DnsFrameReader(conn).read();
    if (answer !== null) return answer;
    throw new Error(`Cannot ask ${formatEndpoint(to, port)}: it hung up`);
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** `Deno.Conn.close()` throws when called twice. */
function onceClose(conn: Deno.Conn): () => void {
  let closed = false;
  return () => {
    if (closed) return;
    closed = true;
    conn.close();
  };
}
