import type { Clock } from "../net/mod.ts";
import { ObstacleError } from "./unreachable.ts";

export interface DeadlineOptions {
  ms: number;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

/**
 * Runs `work` with a signal that aborts with the caller's, or after `ms`.
 *
 * @throws {ObstacleError} `timeout`, through the work; the caller's own reason when that came first.
 */
export async function withDeadline<T>(
  { ms, clock, signal }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const onAbort = () => abort.abort(signal!.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const cancel = clock.after(ms, () => {
    const detail = `no answer within ${ms / 1000} s`;
    abort.abort(new ObstacleError({ kind: "timeout", detail }));
  });
  try {
    return await work(abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
