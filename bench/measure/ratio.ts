/** Summaries of a few rounds. */

/** A median with the extremes. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @returns `undefined` if there are no values. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** The ratios of equal rounds; a round that lacks either value has none. */
export function ratios(
  values: readonly (number | undefined)[],
  base: readonly (number | undefined)[],
): number[] {
  return values.flatMap((value, round) => {
    const divisor = base[round];
    return value === undefined || !divisor ? [] : [value / divisor];
  });
}
