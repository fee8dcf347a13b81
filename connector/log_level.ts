import { setLogLevelFor } from "../log.ts";
import { longestWishSeconds } from "../manager/api.ts";
import type { Manager } from "../manager/client.ts";
import type { LogLevelAnswer, LogLevelRequest } from "./api.ts";

/** How long the manager may take. */
const answerMs = 10_000;

/** A manager's copy that can be asked. */
export interface AskedManager {
  pod: string;
  use: (open: (manager: Manager) => Promise<void>) => Promise<void>;
}

/**
 * Sets the level of this process and of the manager's copy, for a while. Never rejects.
 *
 * @param manager `undefined` where there is no connection.
 */
export async function setLogLevels(
  { level, seconds, laptop, cluster }: LogLevelRequest,
  manager: AskedManager | undefined,
): Promise<LogLevelAnswer> {
  const answer: LogLevelAnswer = { done: [], problems: [] };
  if (laptop) {
    setLogLevelFor(level, seconds * 1000);
    answer.done.push(`connector: ${level}${during(seconds)}`);
  }
  if (!cluster) return answer;
  if (manager === undefined) {
    answer.problems.push("manager: this laptop is not connected");
  } else if (level === "warn" || level === "error") {
    answer.problems.push(
      "manager: its log tells who does what in the cluster, and gets no quieter than info",
    );
  } else {
    const bounded = seconds === 0 ? longestWishSeconds : Math.min(
      seconds,
      longestWishSeconds,
    );
    const signal = AbortSignal.timeout(answerMs);
    try {
      await manager.use((one) =>
        one.log({ level, seconds: bounded }, { signal })
      );
      answer.done.push(`manager (${manager.pod}): ${level}${during(bounded)}`);
    } catch (error) {
      answer.problems.push(`manager: ${(error as Error).message}`);
    }
  }
  return answer;
}

function during(seconds: number): string {
  return seconds === 0 ? " until it ends" : ` for ${seconds} s`;
}
