import type { Laptop } from "../../tests/cluster/mod.ts";

/** The processes of a laptop that is connected. */
export async function findProcesses(
  laptop: Laptop,
): Promise<{ connector: number; daemon: number }> {
  const found = new Map<string, number>();
  for (const pid of await laptop.pids()) {
    const path = `/proc/${pid}/cmdline`;
    const command = await Deno.readTextFile(path).catch(() => "");
    const [program = "", subcommand = ""] = command.split("\0");
    if (program.endsWith("/tp")) found.set(subcommand, pid);
  }
  const [connector, daemon] = ["connector", "daemon"].map((name) =>
    found.get(`${name}-foreground`)
  );
  if (connector === undefined || daemon === undefined) {
    throw new Error("Cannot measure: the laptop is not connected");
  }
  return { connector, daemon };
}
