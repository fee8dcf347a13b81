import type { HostFacts } from "./choose_edge.ts";
import { readLinuxFacts } from "./host_facts_linux.ts";

/**
 * What of this host says who answers its programs. Reads a few small files; needs no privilege.
 *
 * @param own The file with the host's own text, in the order of preference: the first that is there.
 */
export async function readHostFacts(
  own: readonly string[],
): Promise<HostFacts> {
  if (Deno.build.os !== "darwin") return await readLinuxFacts(own);
  // A report that macOS writes of whom it asks for names without a zone of their own.
  const file = "/etc/resolv.conf";
  return {
    os: "darwin",
    leadsTo: await Deno.realPath(file).catch(() => undefined),
    text: await Deno.readTextFile(file).catch(() => ""),
    nss: [],
    resolvedRuns: false,
    resolvectl: undefined,
    wsl: false,
  };
}
