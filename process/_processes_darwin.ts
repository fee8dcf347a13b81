/** Processes as macOS tells of them by sysctl(3): of all to everybody, but for arguments and environment of others. */
import { libcPath } from "../libc_darwin.ts";
import {
  decodeArguments,
  decodeProcesses,
  type ProcessInfo,
} from "./_process_info.ts";
import type { Processes } from "./process.ts";

const calls = {
  sysctl: {
    parameters: ["buffer", "u32", "buffer", "buffer", "pointer", "usize"],
    result: "i32",
  },
} as const;

/** CTL_KERN, KERN_PROC and whose: KERN_PROC_ALL, KERN_PROC_PID, KERN_PROC_PGRP. */
const processes = {
  all: () => [1, 14, 0, 0],
  one: (pid: number) => [1, 14, 1, pid],
  group: (group: number) => [1, 14, 2, group],
};
/** CTL_KERN, KERN_PROCARGS2 */
const argumentsName = (pid: number) => [1, 49, pid];
/** The most octets of a command line with its environment (ARG_MAX), or of some thousand processes. */
const most = 1 << 20;

let library: Deno.DynamicLibrary<typeof calls> | undefined;

export const darwinProcesses: Processes = {
  state: (pid) => Promise.resolve(infos(processes.one(pid))[0]),

  childrenOf: (pid) =>
    Promise.resolve(
      infos(processes.all()).filter(({ parent }) => parent === pid),
    ),

  membersOf: (group) => Promise.resolve(infos(processes.group(group))),

  argumentsOf: (pid) =>
    Promise.resolve(decodeArguments(ask(argumentsName(pid))).arguments),

  environmentOf: (pid) =>
    Promise.resolve(decodeArguments(ask(argumentsName(pid))).environment),

  seesAll: () => Promise.resolve(true),
};

function infos(name: number[]): ProcessInfo[] {
  return decodeProcesses(ask(name));
}

/** Empty when the kernel does not tell. */
function ask(name: readonly number[]): Uint8Array {
  library ??= Deno.dlopen(libcPath, calls);
  const path = new Uint8Array(Int32Array.from(name).buffer);
  const into = new Uint8Array(most);
  const length = new BigUint64Array([BigInt(most)]);
  const result = library.symbols.sysctl(
    ...[path, name.length, into] as const,
    ...[new Uint8Array(length.buffer), null, 0n] as const,
  );
  return result === 0 ? into.subarray(0, Number(length[0])) : new Uint8Array();
}
