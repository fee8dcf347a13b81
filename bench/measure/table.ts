/** Figures as text. */
import type { Spread } from "./ratio.ts";

/** Three significant digits, or as many after the point as told. */
export function digits(value: number | undefined, fraction?: number): string {
  if (value === undefined) return "-";
  if (fraction !== undefined) return value.toFixed(fraction);
  const whole = value >= 1 ? Math.floor(Math.log10(value)) + 1 : 0;
  return value.toFixed(value < 0.1 ? 4 : Math.max(0, 3 - whole));
}

export function range(found: Spread | undefined): string {
  return found ? `${digits(found.min, 2)}..${digits(found.max, 2)}` : "";
}

/** Columns: words to the left, figures to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) =>
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    );
  }
  const isWords = (column: number) =>
    rows.slice(1).every((row) => !/^[\d.]/.test(row[column] ?? ""));
  return rows.map((row) =>
    row.map((cell, column) =>
      isWords(column)
        ? cell.padEnd(widths[column]!)
        : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

export function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}
