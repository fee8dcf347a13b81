/**
 * `tp run`, `tp shell`
 *
 * 1. That there is no such command, or that a port to publish is another's, is told before anything is done.
 * 2. A session with the cluster is made, of this process' own.
 * 3. The command runs in a network of its own. Where the laptop does not allow one, it runs as it is, with the environment
 *    that leads it to a proxy.
 */
import type { StricliProcess } from "@stricli/core";
import type { PublishedPort } from "../connector/api.ts";
import {
  ConnectError,
  NoInsideError,
  openProxy,
  type Outbound,
  PublishedPorts,
  runInside,
} from "../connector/mod.ts";
import { failureError } from "./_failure.ts";
import { Interrupt, interruptedExitCode } from "./_interrupt.ts";
import { endSignals, openOutboundInterruptibly } from "./_outbound.ts";
import { proxyEnvironment } from "./_proxy_environment.ts";
import { mustBeProgram, runUserCommand, SignalRelay } from "./_user_command.ts";
import type { RunFlags } from "./run.ts";

type Say = (line: string) => void;

/** Leaves the command's exit code behind. */
export async function runWithCluster(
  command: readonly string[],
  { flags, process }: { flags: RunFlags; process: StricliProcess },
): Promise<void> {
  const say: Say = (line) => process.stderr.write(line + "\n");
  await mustBeProgram(command[0]!);
  using published = takePorts(flags.publish ?? []);
  // Also between the session and the command: who is called off in that moment runs nothing.
  using interrupt = new Interrupt(endSignals);
  await using outbound = await openOutboundInterruptibly(flags, {
    ...{ interrupt, say },
  });
  if (outbound !== undefined) say(`Connected to ${outbound.description}`);
  process.exitCode = outbound === undefined
    ? interruptedExitCode
    : await runIn(command, { outbound, published, interrupt, say });
}

async function runIn(
  command: readonly string[],
  { outbound, published, interrupt, say }: {
    outbound: Outbound;
    published: PublishedPorts;
    interrupt: Interrupt;
    say: Say;
  },
): Promise<number> {
  // From here on, so that no signal comes between what notes it and what passes it on.
  using relay = new SignalRelay();
  try {
    return await runInside(command, {
      ...{ outbound, published },
      onStart: (child) => {
        relay.to(child);
        if (interrupt.signal.aborted) relay.send("SIGTERM");
      },
    });
  } catch (error) {
    if (!(error instanceof NoInsideError)) throw error;
    if (interrupt.signal.aborted) return interruptedExitCode;
    say(`No network of its own for the command: ${error.message}`);
    say("It gets the environment of a proxy (`tp proxy`) instead");
  }
  // What it listens on is the laptop's anyway.
  published[Symbol.dispose]();
  for (const { laptop, inside } of published.ports) {
    if (laptop === inside) continue;
    say(`Port ${inside} is this laptop's own, and not published as ${laptop}`);
  }
  await using proxy = openProxy(outbound);
  return await runUserCommand(command, { env: proxyEnvironment(proxy) });
}

/** @throws {CommandError} */
function takePorts(ports: readonly PublishedPort[]): PublishedPorts {
  try {
    return new PublishedPorts(ports);
  } catch (error) {
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  }
}
