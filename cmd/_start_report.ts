/** What a process of ours that cannot start says to who started it: one line of JSON on its standard output. */
import type { StricliProcess } from "@stricli/core";
import { type Failure, failureKinds } from "../connector/api.ts";

export function reportFailure(
  { stdout }: Pick<StricliProcess, "stdout">,
  { kind, cause }: Failure,
): void {
  stdout.write(JSON.stringify({ kind, cause }) + "\n");
}

/** The failure in what the process has written; `undefined` when it said none. */
export function readFailure(output: string): Failure | undefined {
  try {
    const { kind, cause } = JSON.parse(output);
    return failureKinds.includes(kind) && typeof cause === "string"
      ? { kind, cause }
      : undefined;
  } catch {
    return undefined;
  }
}
