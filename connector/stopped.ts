import { connectorPidPath } from "./paths.ts";

/**
 * Kills this user's connector if a signal has stopped it: it answers nothing and ends by no kinder signal. The daemon then
 * brings the host back. Returns false when there is none, or it is not stopped.
 */
export async function killStoppedConnector(): Promise<boolean> {
  const text = await Deno.readTextFile(connectorPidPath()).catch(() => "");
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 1) return false;
  const read = (name: string) =>
    Deno.readTextFile(`/proc/${pid}/${name}`).catch(() => "");
  const [stat, commandLine] = await Promise.all([
    read("stat"),
    read("cmdline"),
  ]);
  // The process may be another one of that number by now.
  if (!commandLine.split("\0").includes("connector-foreground")) return false;
  const state = stat.slice(
    stat.lastIndexOf(")") + 2,
    stat.lastIndexOf(")") + 3,
  );
  if (state !== "T") return false;
  Deno.kill(pid, "SIGKILL");
  while ((await read("cmdline")) !== "") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
