/** Runs one command with the cluster in its network, and changes nothing of the laptop. */
export { NoInsideError, runInside, type RunOptions } from "./run.ts";
