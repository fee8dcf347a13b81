import { ConnectError, runConnector } from "../connector/mod.ts";
import { setLogSink } from "../log.ts";
import type { Context } from "./_context.ts";
import { reportFailure } from "./_start_report.ts";

export default async function run(this: Context): Promise<void> {
  setLogSink(writeLine);
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

/** A disk that is full must not end the connection. */
function writeLine(line: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
  } catch {
    // The line is lost.
  }
}
