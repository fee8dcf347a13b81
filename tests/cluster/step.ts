/** Where the lines go that say what is being done; standard error, so that a command's answer stays clean. */
const encoder = new TextEncoder();

/** Says one line. */
export function say(line: string): void {
  Deno.stderr.writeSync(encoder.encode(`${line}\n`));
}

/**
 * Does a piece of work and says so in one line with its duration; a long one is announced and says every minute that
 * it goes on.
 */
export async function step<T>(
  what: string,
  work: () => Promise<T>,
  { long = false }: { long?: boolean } = {},
): Promise<T> {
  const startMs = performance.now();
  if (long) say(`bed: ${what} …`);
  const minutes = setInterval(
    () => say(`bed: ${what}: ${seconds(startMs)} so far`),
    60_000,
  );
  try {
    const result = await work();
    say(`bed: ${what}: ${seconds(startMs)}`);
    return result;
  } finally {
    clearInterval(minutes);
  }
}

function seconds(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}
