/** Processes as macOS tells of them by sysctl(3): of all to everybody, but for arguments and environment of others. */
import { askSysctl, Libc, sysctlCalls } from "../libc/mod.ts";
import {
  decodeArguments,
  decodeProcesses,
  type ProcessInfo,
} from "./_process_info.ts";
import type { Processes } from "./process.ts";

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

let libc: Libc<typeof sysctlCalls> | undefined;

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
  libc ??= new Libc(sysctlCalls);
  return askSysctl(name, most, libc.call) ?? new Uint8Array();
}
