import { ConnectError, openOutbound, type Outbound } from "../connector/mod.ts";
import { requestOf } from "./_connect.ts";
import type { ConnectFlags } from "./_connect_flags.ts";
import { failureError } from "./_failure.ts";
import type { Interrupt } from "./_interrupt.ts";
import { logToFile } from "./_log_file.ts";
import { absentTexts } from "./_followed_names.ts";
import { unservedNamespacesText } from "./_short_names.ts";

/** What ends a process that holds a session, or what it runs. */
export const endSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A session of this process' own. `undefined` when it was interrupted.
 *
 * @throws {CommandError}
 */
export async function openOutboundInterruptibly(
  flags: ConnectFlags,
  { interrupt, say }: { interrupt: Interrupt; say: (line: string) => void },
): Promise<Outbound | undefined> {
  await logToFile();
  const { signal } = interrupt;
  try {
    const outbound = await openOutbound(await requestOf(flags), {
      signal,
      say,
    });
    const unserved = unservedNamespacesText(outbound.unservedNamespaces);
    if (unserved !== undefined) say(`Short names are served, but ${unserved}`);
    for (const text of absentTexts(outbound.followedNames)) say(text);
    return outbound;
  } catch (error) {
    if (signal.aborted) {
      say("Interrupted");
      return undefined;
    }
    if (!(error instanceof ConnectError)) throw error;
    throw failureError(error.failure);
  }
}
