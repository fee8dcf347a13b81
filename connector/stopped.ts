import { connectorPidPath } from "./paths.ts";

/** The process of this user's connector if a signal has stopped it: it answers nothing until it is continued. */
export async function stoppedConnector(): Promise<number | undefined> {
  const text = await Deno.readTextFile(connectorPidPath()).catch(() => "");
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const [stat, commandLine] = await Promise.all([
    read(pid, "stat"),
    read(pid, "cmdline"),
  ]);
  // The process may be another one of that number by now.
  if (!commandLine.split("\0").includes("connector-foreground")) {
    return undefined;
  }
  const state = stat.slice(
    stat.lastIndexOf(")") + 2,
    stat.lastIndexOf(")") + 3,
  );
  return state === "T" ? pid : undefined;
}

/** Kills what {@link stoppedConnector} told: it ends by no kinder signal. The daemon then brings the host back. */
export async function killStoppedConnector(pid: number): Promise<void> {
  Deno.kill(pid, "SIGKILL");
  while ((await read(pid, "cmdline")) !== "") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function read(pid: number, name: string): Promise<string> {
  return Deno.readTextFile(`/proc/${pid}/${name}`).catch(() => "");
}
