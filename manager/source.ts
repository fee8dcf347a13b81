import { ApiError } from "../k8s/mod.ts";
import { logger } from "../log.ts";
import { type Clock, pause } from "../net/mod.ts";

const log = logger("manager");

/** When a source that said no is tried again unless it tells, and one that said nothing. */
const usualRefusedPauseMs = 30_000;
const silentPauseMs = 1_000;

/** One part of what there is to know of the cluster. */
export interface Source {
  /** For the log. */
  readonly name: string;
  /** Learns until it is told to stop. Throws when the source does not speak. */
  readonly follow: () => Promise<void>;
  /** Learns something humbler, once, where the API server does not let the source be seen. */
  readonly instead: () => void | Promise<void>;
  /** When it is tried again after the API server said no. */
  readonly refusedPauseMs?: number;
}

/** Follows a source, again and again where it fails, until the signal fires. Never rejects. */
export async function keepSource(
  source: Source,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<void> {
  let hasStandIn = false;
  while (!signal.aborted) {
    const isRefused = await isRefusedToFollow(source, signal);
    if (isRefused && !hasStandIn) hasStandIn = await standsIn(source);
    const { refusedPauseMs = usualRefusedPauseMs } = source;
    const ms = isRefused && hasStandIn ? refusedPauseMs : silentPauseMs;
    await pause(ms, { signal, clock });
  }
}

/** Follows to the end. True when the API server let nothing be seen. */
async function isRefusedToFollow(
  { name, follow }: Source,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await follow();
    return false;
  } catch (error) {
    if (signal.aborted) return false;
    log.warn("a part of the cluster is not seen", { part: name, error });
    return error instanceof ApiError && error.status < 500;
  }
}

async function standsIn({ name, instead }: Source): Promise<boolean> {
  try {
    await instead();
    return true;
  } catch (error) {
    log.warn("nothing stands in for it", { part: name, error });
    return false;
  }
}
