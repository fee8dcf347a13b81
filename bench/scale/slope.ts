/** A straight line through points, by least squares. */
export interface Slope {
  /** By how much y grows with each x. */
  readonly each: number;
  /** y where x is 0. */
  readonly base: number;
  /** The farthest that a point is off the line, as a part of the line's rise; below some percent the growth is linear. */
  readonly bend: number;
}

/** @throws {RangeError} with fewer than two different x */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]) {
  const mean = (values: number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x0, y0] = [mean(xs), mean(ys)];
  const spread = mean(xs.map((x) => (x - x0) ** 2));
  if (!(spread > 0)) throw new RangeError("Cannot draw a line: one point");
  const each = mean(points.map(([x, y]) => (x - x0) * (y - y0))) / spread;
  const base = y0 - each * x0;
  const rise = Math.abs(each) * (Math.max(...xs) - Math.min(...xs));
  const off = points.map(([x, y]) => Math.abs(y - base - each * x));
  const slope: Slope = { each, base, bend: Math.max(...off) / (rise || 1) };
  return slope;
}

/** Memory in MB over a count, as words. */
export function formatSlope(what: string, { each, base, bend }: Slope): string {
  return `${what}: ${(each * 1000).toFixed(1)} kB over ${base.toFixed(0)} MB` +
    ` (off the line by ${(bend * 100).toFixed(0)} % of the rise)`;
}
