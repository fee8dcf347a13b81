import { MemoryBudget } from "../tunnel/mod.ts";

/**
 * The part of the manager's memory that the bytes of all sessions together may take: those that wait for slow readers, and
 * those that are kept until laptops acknowledge them. The rest is for the manager itself, the buffers of carriers, and
 * the sockets of the kernel, which count as well.
 */
const budgetPart = 1 / 4;
/**
 * What of that is left to the windows that streams cannot do without: so that who moves much leaves room for those who
 * only want to be connected.
 */
const reservedPart = 3 / 4;
/** What one session may take of it for each of the two. */
const sessionBudgetBytes = 32 * 1024 * 1024;

/** What one session may take. */
export const sessionLimits = {
  budgetBytes: sessionBudgetBytes,
  keptBytes: sessionBudgetBytes,
  datagramBudgetBytes: 4 * 1024 * 1024,
};

/** What all sessions of a manager take together, by what its container may hold. */
export function sharedBudget(memoryLimitBytes: number): MemoryBudget {
  const budgetBytes = Math.floor(memoryLimitBytes * budgetPart);
  const reservedBytes = Math.floor(budgetBytes * reservedPart);
  return new MemoryBudget(budgetBytes, { reservedBytes });
}

/**
 * What the agents' sessions take of {@link sharedBudget}, all together: half of it, so that laptops, which are fewer, have
 * the rest whatever agents do.
 */
export function agentsBudget(shared: MemoryBudget): MemoryBudget {
  const budgetBytes = Math.floor(shared.limitBytes / 2);
  const reservedBytes = Math.floor(budgetBytes * reservedPart);
  return new MemoryBudget(budgetBytes, { parent: shared, reservedBytes });
}
