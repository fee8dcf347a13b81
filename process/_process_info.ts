/** What macOS tells of processes by sysctl(3), as octets (sys/sysctl.h, sys/proc.h). */
import type { ProcessState } from "./process.ts";

const infoBytes = 648; // struct kinfo_proc
const at = {
  seconds: 0, // p_starttime
  microseconds: 8,
  state: 36, // p_stat
  pid: 40, // p_pid
  parent: 560, // e_ppid
  group: 564, // e_pgid
} as const;
const stopped = 4; // SSTOP
const zombie = 5; // SZOMB

export interface ProcessInfo extends ProcessState {
  readonly parent: number;
}

/** Reads an array of struct kinfo_proc. Those that have ended are left out. */
export function decodeProcesses(bytes: Uint8Array): ProcessInfo[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: ProcessInfo[] = [];
  for (let i = 0; i + infoBytes <= bytes.length; i += infoBytes) {
    const state = bytes[i + at.state]!;
    if (state === zombie) continue;
    const seconds = view.getBigInt64(i + at.seconds, true);
    const microseconds = view.getInt32(i + at.microseconds, true);
    found.push({
      pid: view.getInt32(i + at.pid, true),
      start: `${seconds}.${String(microseconds).padStart(6, "0")}`,
      parent: view.getInt32(i + at.parent, true),
      group: view.getInt32(i + at.group, true),
      stopped: state === stopped,
    });
  }
  return found;
}

/**
 * Reads what `KERN_PROCARGS2` tells: the number of arguments, the program's path, zero octets up to a word, the arguments,
 * the environment, and what is none of either behind an empty text.
 */
export function decodeArguments(
  bytes: Uint8Array,
): { arguments: string[]; environment: string[] } {
  if (bytes.length < 4) return { arguments: [], environment: [] };
  const count = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  let begin = bytes.indexOf(0, 4);
  if (begin < 0) return { arguments: [], environment: [] };
  while (bytes[begin] === 0) begin++;
  const texts = new TextDecoder().decode(bytes.subarray(begin)).split("\0");
  const rest = texts.slice(count);
  const end = rest.indexOf("");
  return {
    arguments: texts.slice(0, count),
    environment: end < 0 ? rest : rest.slice(0, end),
  };
}
