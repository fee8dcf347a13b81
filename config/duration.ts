const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000 };

/** Reads what the schema calls a duration: `500ms`, `4s`, `1m30s`. */
export function parseDurationMs(text: string): number {
  const parts = text.matchAll(/([0-9.]+)(ms|s|m)/g);
  const sum = [...parts].reduce(
    (ms, [, count, unit]) => ms + Number(count) * unitMs[unit!]!,
    0,
  );
  return Math.round(sum);
}
