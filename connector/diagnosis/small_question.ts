import { bareHost, type ClusterAccess, portOf } from "../../k8s/mod.ts";

const answerMs = 5_000;
const encoder = new TextEncoder();

/**
 * Whether the API server answers a question of a few bytes: plain HTTP, to which servers of TLS say that it is the wrong
 * protocol. Then packets of that size come there and back, and who has no answer by TLS has lost larger ones.
 */
export async function answersSmallQuestion(
  { server, proxy }: Pick<ClusterAccess, "server" | "proxy">,
  { signal }: { signal: AbortSignal },
): Promise<boolean> {
  if (server.protocol !== "https:" || proxy !== undefined) return false;
  const either = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  try {
    using conn = await Deno.connect({
      hostname: bareHost(server),
      port: portOf(server),
      signal: either,
    });
    const close = () => conn.close();
    either.addEventListener("abort", close, { once: true });
    try {
      await conn.write(encoder.encode("GET / HTTP/1.0\r\n\r\n"));
      return await conn.read(new Uint8Array(16)) !== null;
    } finally {
      either.removeEventListener("abort", close);
    }
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
