/** Processes of this system: whether they are there, stopped, whose they are, and their end. */
import { darwinProcesses } from "./_processes_darwin.ts";
import { linuxProcesses } from "./_processes_linux.ts";
import type { ProcessId, ProcessState } from "./process.ts";

export type { ProcessId, ProcessState } from "./process.ts";

/** The system's own: which one serves here is decided in this line. */
const processes = Deno.build.os === "darwin" ? darwinProcesses : linuxProcesses;

export const { argumentsOf, environmentOf, membersOf, seesAll } = processes;
export const processState = processes.state;

/** The state of this very process, not of a later one with its number. */
export async function stateOf(
  process: ProcessId,
): Promise<ProcessState | undefined> {
  const state = await processState(process.pid);
  return state?.start === process.start ? state : undefined;
}

/** Kills this very process, if it still is; resolves when it is gone. */
export async function killProcess(process: ProcessId): Promise<void> {
  if (await kill(process, process.pid)) await untilGone(process);
}

/** As {@link killProcess}, for a process that leads a group: its children are killed and gone with it. */
export async function killGroup(process: ProcessId): Promise<void> {
  const children = await processes.childrenOf(process.pid);
  if (!await kill(process, -process.pid)) return;
  for (const one of [process, ...children]) await untilGone(one);
}

/** Returns false when there was nothing to kill. */
async function kill(process: ProcessId, target: number): Promise<boolean> {
  if (await stateOf(process) === undefined) return false;
  try {
    Deno.kill(target, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return true;
}

async function untilGone(process: ProcessId): Promise<void> {
  while (await stateOf(process) !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
