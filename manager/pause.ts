import type { Clock } from "../net/mod.ts";

/** Resolves after `ms` or when the signal fires. */
export function pause(
  ms: number,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  const callOff = clock.after(ms, resolve);
  signal.addEventListener("abort", abort, { once: true });
  return promise.finally(() => {
    callOff();
    signal.removeEventListener("abort", abort);
  });
}
