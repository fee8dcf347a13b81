/** Has the agents of a workload log more for a while. */
import { type Clock, RefusedError } from "../../net/mod.ts";
import type { AgentsLogging } from "../agent_api.ts";
import type { ConnectedAgent } from "./connected_agents.ts";

/** For all of them together: the laptop waits. */
const patienceMs = 8_000;
/** Asked at a time. */
const atATime = 16;

export interface AskToLogOptions {
  /** The wish, encoded. */
  readonly target: Uint8Array;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks each of them. Agents of other releases may not know what is wanted. */
export async function askToLog(
  agents: readonly ConnectedAgent[],
  { target, clock, signal: off }: AskToLogOptions,
): Promise<AgentsLogging> {
  const late = new AbortController();
  const callOff = clock.after(patienceMs, () => {
    late.abort(new RefusedError("timeout", "the agent does not answer"));
  });
  const signal = AbortSignal.any([off, late.signal]);
  const troubles: string[] = [];
  const left = [...agents];
  const asker = async () => {
    for (let one; (one = left.shift()) !== undefined;) {
      try {
        signal.throwIfAborted();
        (await one.session.open(target, { signal })).close();
      } catch (error) {
        troubles.push(`${one.pod.name}: ${(error as Error).message}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: atATime }, asker));
  } finally {
    callOff();
  }
  const [why] = troubles;
  const count = troubles.length;
  return {
    agents: agents.length - count,
    ...why === undefined ? {} : { others: { count, why } },
  };
}
