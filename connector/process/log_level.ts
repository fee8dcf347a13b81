import { setLogLevelFor } from "../../log.ts";
import {
  type AgentsLogging,
  type LogWish,
  longestWishSeconds,
} from "../../manager/api.ts";
import { readText } from "../../net/mod.ts";
import type { Manager } from "../../manager/client.ts";
import type { LogLevelAnswer, LogLevelRequest } from "../api.ts";

/** How long the manager may take. */
const answerMs = 10_000;
/** Of what it answers. */
const maxAnswerBytes = 64 * 1024;

/** A manager's copy that can be asked. */
export interface AskedManager {
  pod: string;
  use: <T>(open: (manager: Manager) => Promise<T>) => Promise<T>;
  /** An intercept of each workload on which this connection has some, and what the workload is called. */
  workloads: readonly { intercept: string; name: string }[];
}

/**
 * Sets the level of this process, of the manager's copy, and of agents of intercepted workloads, for a while. Never rejects.
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
      "manager and agents: their logs tell who does what in the cluster, and get no quieter than info",
    );
  } else {
    const bounded = seconds === 0 ? longestWishSeconds : Math.min(
      seconds,
      longestWishSeconds,
    );
    const wish = { kind: "log", level, seconds: bounded } as const;
    const signal = AbortSignal.timeout(answerMs);
    const answers = await Promise.all([
      askManager(manager, wish, signal),
      ...manager.workloads.map((one) =>
        askAgents(manager, one, { wish, signal })
      ),
    ]);
    for (const { done, problems } of answers) {
      answer.done.push(...done);
      answer.problems.push(...problems);
    }
  }
  return answer;
}

async function askManager(
  manager: AskedManager,
  { level, seconds }: LogWish,
  signal: AbortSignal,
): Promise<LogLevelAnswer> {
  try {
    await manager.use((one) => one.log({ level, seconds }, { signal }));
    const done = `manager (${manager.pod}): ${level}${during(seconds)}`;
    return { done: [done], problems: [] };
  } catch (error) {
    return { done: [], problems: [`manager: ${(error as Error).message}`] };
  }
}

async function askAgents(
  { use }: AskedManager,
  { intercept, name }: AskedManager["workloads"][number],
  { wish, signal }: { wish: LogWish; signal: AbortSignal },
): Promise<LogLevelAnswer> {
  try {
    const text = await use(async (manager) => {
      const stream = await manager.pod(intercept, wish, { signal });
      return await readText(stream, { maxBytes: maxAnswerBytes })
        .finally(() => stream.close());
    });
    const { agents, others }: AgentsLogging = JSON.parse(text);
    const { level, seconds } = wish;
    const done = `agents of ${name} (${agents}): ${level}${during(seconds)}`;
    const problem = others
      ? `agents of ${name} (${others.count}): ${others.why}`
      : `agents of ${name}: none is there`;
    return {
      done: agents > 0 ? [done] : [],
      problems: others || agents === 0 ? [problem] : [],
    };
  } catch (error) {
    return {
      done: [],
      problems: [`agents of ${name}: ${(error as Error).message}`],
    };
  }
}

/** As a user gives it: `1h30m`. */
function during(seconds: number): string {
  if (seconds === 0) return " until it ends";
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const text = parts.map(([count, unit]) => count > 0 ? count + unit : "");
  return ` for ${text.join("")}`;
}
