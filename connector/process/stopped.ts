import { argumentsOf, processState } from "../../process/mod.ts";
import { connectorPidPath } from "./paths.ts";

/** The process of this user's connector if a signal has stopped it: it answers nothing until it is continued. */
export async function stoppedConnector(): Promise<number | undefined> {
  const text = await Deno.readTextFile(connectorPidPath()).catch(() => "");
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  // The process may be another one of that number by now.
  const isConnector = (await argumentsOf(pid)).includes("connector-foreground");
  const state = isConnector ? await processState(pid) : undefined;
  return state?.stopped ? pid : undefined;
}

/** Kills what {@link stoppedConnector} told: it ends by no kinder signal. The daemon then brings the host back. */
export async function killStoppedConnector(pid: number): Promise<void> {
  Deno.kill(pid, "SIGKILL");
  while (await processState(pid) !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
