import { must, run } from "./command.ts";

/** The pids of all processes in a named network namespace. */
export async function netnsPids(netns: string): Promise<number[]> {
  const { stdout } = await run(["ip", "netns", "pids", netns]);
  return stdout.split("\n").filter((line) => line !== "").map(Number);
}

/** A command that runs another one in a named network namespace; mounts stay as they are. */
export function inNetns(netns: string, argv: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${netns}`, "--", ...argv];
}

/** Runs `ip` commands, one per line, in a network namespace (`undefined`: the host's own). */
export async function ipBatch(
  netns: string | undefined,
  lines: readonly string[],
): Promise<void> {
  const where = netns === undefined ? [] : ["-n", netns];
  await must(["ip", ...where, "-batch", "-"], { stdin: lines.join("\n") });
}

export async function netnsExists(netns: string): Promise<boolean> {
  return await Deno.stat(`/run/netns/${netns}`).then(() => true, () => false);
}

/** Removes a network namespace with the interfaces in it; its processes have ended. */
export async function removeNetns(netns: string): Promise<void> {
  if (await netnsExists(netns)) await must(["ip", "netns", "del", netns]);
}

/** Removes the directory of named namespaces, which `ip netns` mounts and leaves behind, if no name is left in it. */
export async function removeNetnsDirectory(): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir("/run/netns")).catch(() => [
    "not there",
  ]);
  if (names.length > 0) return;
  await run(["umount", "/run/netns"]); // not mounted on some systems
  await Deno.remove("/run/netns");
}
