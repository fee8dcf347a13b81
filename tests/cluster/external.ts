import { isIP } from "node:net";
import type { Cluster } from "./cluster.ts";
import { must } from "./command.ts";
import { inNetns, ipBatch } from "./netns.ts";
import { statePath } from "./paths.ts";
import { startProcess, stopProcess } from "./process.ts";

/**
 * Gives a laptop the API server of a cluster that is not the bed, at the address that its kubeconfig says (which may be
 * the host's loopback): a relay on the laptop, one on the host, a Unix socket between them.
 *
 * @returns lines for the laptop's /etc/hosts
 */
export async function linkToCluster(
  cluster: Pick<Cluster, "apiServerAddress">,
  { netns, number }: { netns: string; number: number },
): Promise<string> {
  const { host, port } = cluster.apiServerAddress;
  const address = isIP(host) ? host : await lookUp(host);
  const isLoopback = address === "::1" || address.startsWith("127.");
  await ipBatch(netns, [
    "link set lo up",
    ...(isLoopback ? [] : [`addr add ${address} dev lo`]),
  ]);
  await Deno.mkdir(statePath("relay"), { recursive: true });
  const socket = statePath("relay", `${number}`);
  await Deno.remove(socket).catch(() => {});
  const [onHost, onLaptop] = relayNames(number);
  const family = isIP(address) === 6 ? "TCP6" : "TCP4";
  const bracketed = family === "TCP6" ? `[${address}]` : address;
  await startProcess({
    name: onHost,
    argv: ["socat", `UNIX-LISTEN:${socket},fork`]
      .concat(`${family}:${bracketed}:${port}`),
  });
  const listen = `${family}-LISTEN:${port},bind=${bracketed},reuseaddr,fork`;
  await startProcess({
    name: onLaptop,
    argv: inNetns(netns, ["socat", listen, `UNIX-CONNECT:${socket}`]),
  });
  return isIP(host) ? "" : `${address} ${host}\n`;
}

/** Ends what {@link linkToCluster} started, if anything. */
export async function unlinkFromCluster(number: number): Promise<void> {
  for (const name of relayNames(number)) await stopProcess(name);
  await Deno.remove(statePath("relay", `${number}`)).catch(() => {});
}

function relayNames(number: number): [onHost: string, onLaptop: string] {
  return [`laptop-${number}-relay-host`, `laptop-${number}-relay`];
}

async function lookUp(host: string): Promise<string> {
  const answer = await must(["getent", "ahosts", host]);
  return answer.split(/\s/)[0] ?? host;
}
