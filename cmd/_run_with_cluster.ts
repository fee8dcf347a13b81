/**
 * `tp run`, `tp shell`
 *
 * 1. That there is no such command is told before anything is done.
 * 2. A session with the cluster is made, of this process' own.
 * 3. The command runs in a network of its own. Where the laptop does not allow one, it runs as it is, with the environment
 *    that leads it to a proxy.
 */
import type { StricliProcess } from "@stricli/core";
import {
  NoInsideError,
  openProxy,
  type Outbound,
  runInside,
} from "../connector/mod.ts";
import type { ConnectFlags } from "./_connect_flags.ts";
import { openOutboundInterruptibly } from "./_outbound.ts";
import { proxyEnvironment } from "./_proxy_environment.ts";
import {
  mustBeProgram,
  relaySignals,
  runUserCommand,
} from "./_user_command.ts";

type Say = (line: string) => void;

/** Leaves the command's exit code behind. */
export async function runWithCluster(
  command: readonly string[],
  { flags, process }: { flags: ConnectFlags; process: StricliProcess },
): Promise<void> {
  const say: Say = (line) => process.stderr.write(line + "\n");
  await mustBeProgram(command[0]!);
  await using outbound = await openOutboundInterruptibly(flags, {
    ...{ process, say },
  });
  if (outbound === undefined) return;
  say(`Connected to ${outbound.description}`);
  process.exitCode = await runIn(command, { outbound, say });
}

async function runIn(
  command: readonly string[],
  { outbound, say }: { outbound: Outbound; say: Say },
): Promise<number> {
  await using relaying = new AsyncDisposableStack();
  try {
    return await runInside(command, {
      outbound,
      onStart: (child) => relaying.use(relaySignals(child)),
    });
  } catch (error) {
    if (!(error instanceof NoInsideError)) throw error;
    say(`No network of its own for the command: ${error.message}`);
    say("It gets the environment of a proxy (`tp proxy`) instead");
  }
  await using proxy = openProxy(outbound);
  return await runUserCommand(command, { env: proxyEnvironment(proxy) });
}
