import { ConnectError, runConnector } from "../connector/mod.ts";
import type { Context } from "./_context.ts";
import { logToStandardError } from "./_log_file.ts";
import { reportFailure } from "./_start_report.ts";

export default async function run(this: Context): Promise<void> {
  await logToStandardError();
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => abort.abort());
  }
  try {
    await runConnector({ signal: abort.signal });
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    reportFailure(this.process, error.failure);
    this.process.exitCode = 1;
  }
}
