import type { ProcessId } from "./journal.ts";

/** A process as `/proc` shows it. */
export interface ProcessState extends ProcessId {
  /** True while it is stopped by a signal: it neither serves nor ends. */
  readonly stopped: boolean;
}

/** `undefined` when there is no such process, or one that has ended and was not waited for. */
export async function processState(
  pid: number,
): Promise<ProcessState | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  // The second field is the name in parentheses and may hold anything; the third is the state, the 22nd the start.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields[0]!, fields[19]!];
  return "ZXx".includes(state)
    ? undefined
    : { pid, start, stopped: state === "T" };
}

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
  const children = await childrenOf(process.pid);
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

async function childrenOf(pid: number): Promise<ProcessId[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)
    .catch(() => "");
  const pids = text.split(" ").filter((word) => word !== "").map(Number);
  const states = await Promise.all(pids.map(processState));
  return states.filter((state) => state !== undefined);
}
