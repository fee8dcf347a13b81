import type { StricliProcess } from "@stricli/core";
import { ConnectError, openOutbound, type Outbound } from "../connector/mod.ts";
import { requestOf } from "./_connect.ts";
import type { ConnectFlags } from "./_connect_flags.ts";
import { failureError } from "./_failure.ts";
import { Interrupt, interruptedExitCode } from "./_interrupt.ts";
import { logToFile } from "./_log_file.ts";
import { unservedNamespacesText } from "./_short_names.ts";

/**
 * A session of this process' own. `undefined` when it was interrupted; the exit code says so then.
 *
 * @throws {CommandError}
 */
export async function openOutboundInterruptibly(
  flags: ConnectFlags,
  { process, say }: {
    process: StricliProcess;
    say: (line: string) => void;
  },
): Promise<Outbound | undefined> {
  await logToFile();
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  try {
    const outbound = await openOutbound(requestOf(flags), { signal, say });
    const unserved = unservedNamespacesText(outbound.unservedNamespaces);
    if (unserved !== undefined) say(`Short names are served, but ${unserved}`);
    return outbound;
  } catch (error) {
    if (signal.aborted) {
      say("Interrupted");
      process.exitCode = interruptedExitCode;
      return undefined;
    }
    if (!(error instanceof ConnectError)) throw error;
    throw failureError(error.failure);
  }
}
