/** Processes of this system, as any user sees them. The OS is in the name of the file that looks. */

/** A process, told from a later one of the same number by when it started, in words of the system's own. */
export interface ProcessId {
  readonly pid: number;
  readonly start: string;
}

export interface ProcessState extends ProcessId {
  /** Of its group. */
  readonly group: number;
  /** True while it is stopped by a signal: it neither serves nor ends. */
  readonly stopped: boolean;
}

export interface Processes {
  /** `undefined` when there is no such process, or one that has ended and was not waited for. */
  state(pid: number): Promise<ProcessState | undefined>;
  childrenOf(pid: number): Promise<ProcessState[]>;
  /** Those of a process group. */
  membersOf(group: number): Promise<ProcessState[]>;
  /** The command line; empty for one that has ended, or is somebody else's and hidden. */
  argumentsOf(pid: number): Promise<string[]>;
  /** `NAME=value` as it was when the process started; empty as {@link argumentsOf}. */
  environmentOf(pid: number): Promise<string[]>;
  /** False on a host that hides other users' processes: then one that is not seen may be there. */
  seesAll(): Promise<boolean>;
}
