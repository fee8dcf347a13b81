/** Logs of this laptop. */
import {
  commandLogPath,
  connectorLogPath,
  logLimits,
} from "../../connector/client.ts";
import { daemonLogLimits, daemonLogPath } from "../../daemon/client.ts";
import { logFilePaths } from "../../log_file.ts";
import { rootTools } from "../_root.ts";
import type { GatherLogsFlags } from "../gather_logs.ts";

export interface LaptopLogs {
  files: Map<string, string>;
  problems: string[];
}

/** What the daemons wrote, those before the last rotation included; of a log that is not there nothing is told. */
export async function laptopLogs(
  daemons: GatherLogsFlags["daemons"],
): Promise<LaptopLogs> {
  const logs: LaptopLogs = { files: new Map(), problems: [] };
  const wants = (one: "root" | "user") =>
    daemons.includes("all") || daemons.includes(one);
  const usersPaths = [connectorLogPath(), commandLogPath()]
    .flatMap((path) => logFilePaths(path, logLimits));
  const rootsPaths = logFilePaths(daemonLogPath, daemonLogLimits);
  const paths = [
    ...wants("user") ? usersPaths : [],
    ...wants("root") ? rootsPaths : [],
  ];
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    try {
      logs.files.set(name, await Deno.readTextFile(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      const text = rootsPaths.includes(path) ? await asRoot(path) : undefined;
      if (text !== undefined) logs.files.set(name, text);
      // A full log that is not there looks the same to who may not look.
      else if (path === daemonLogPath || !rootsPaths.includes(path)) {
        logs.problems.push(`${name}: only root may read it`);
      }
    }
  }
  return logs;
}

/** Where root's rights are had without a password; a file that is not there is as one that may not be read. */
async function asRoot(path: string): Promise<string | undefined> {
  for (const tool of rootTools) {
    try {
      const { success, stdout } = await new Deno.Command(tool, {
        args: ["-n", "--", "cat", path],
        ...{ stdin: "null", stdout: "piped", stderr: "null" },
      }).output();
      if (success) return new TextDecoder().decode(stdout);
    } catch {
      // This host does not have it.
    }
  }
  return undefined;
}
