import type { Clock } from "./clock.ts";

/** Resolves after `ms`, or as soon as the signal fires. Never rejects, and leaves nothing behind. */
export function pause(
  ms: number,
  { clock, signal }: { clock: Clock; signal?: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      callOff();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const callOff = clock.after(ms, end);
    signal?.addEventListener("abort", end, { once: true });
  });
}
