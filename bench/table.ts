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
