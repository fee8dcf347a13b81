import type { Clock } from "../net/mod.ts";

/** Resolves after `ms`, or as soon as the signal fires. Never rejects. */
export function pause(
  ms: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      callOff();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const callOff = clock.after(ms, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
