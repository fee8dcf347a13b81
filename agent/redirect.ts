/**
 * Redirects ports inside the pod, which needs NET_ADMIN, so it is done once by an init container: what comes from outside
 * to the app's port goes to the agent's, and what comes to a probe's port to the app's. What processes of the pod send to
 * the pod's own address does not pass here: so the agent reaches the app.
 */
import type { AgentPort } from "../manager/api.ts";

/** What `nft -f` is to read: one table, made anew each time. */
export function redirectScript(ports: readonly AgentPort[]): string {
  const rules = ports.filter(({ redirect }) => redirect).flatMap((one) => {
    const { port, agentPort, probePort } = one;
    const protocol = one.protocol.toLowerCase();
    return [
      `${protocol} dport ${port} redirect to :${agentPort}`,
      ...probePort === undefined
        ? []
        : [`${protocol} dport ${probePort} redirect to :${port}`],
    ];
  });
  return `add table inet tp
delete table inet tp
table inet tp {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "lo" return
${rules.map((rule) => `    ${rule}\n`).join("")}  }
}
`;
}

/**
 * Puts the redirections in place of those that are there.
 *
 * @throws {Error} what `nft` says.
 */
export async function redirect(ports: readonly AgentPort[]): Promise<void> {
  const command = new Deno.Command("nft", {
    args: ["-f", "-"],
    stdin: "piped",
    stderr: "piped",
    stdout: "null",
  });
  await using nft = command.spawn();
  const writer = nft.stdin.getWriter();
  await writer.write(new TextEncoder().encode(redirectScript(ports)));
  await writer.close();
  const { success, stderr } = await nft.output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot redirect the pod's ports: ${said}`);
}
