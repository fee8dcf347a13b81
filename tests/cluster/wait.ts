/** Resolves after `ms`. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Asks until the answer is yes.
 *
 * @param what completes the sentence "no … after 60 s"
 * @param probe answers `true`, or a sentence about what is still missing
 * @throws {Error} with the last such sentence when the time is up, and at once whatever `probe` throws
 */
export async function waitFor(
  what: string,
  probe: () => Promise<true | string>,
  { timeoutMs = 60_000, everyMs = 100 } = {},
): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const answer = await probe();
    if (answer === true) return;
    if (performance.now() - startMs > timeoutMs) {
      throw new Error(
        `Cannot go on: no ${what} after ${timeoutMs / 1000} s: ${answer}`,
      );
    }
    await sleep(everyMs);
  }
}
