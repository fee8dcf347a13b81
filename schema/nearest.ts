/** The one of `names` that `text` was meant to be, if one is near enough: at most a third of it is otherwise. */
export function nearest(
  text: string,
  names: readonly string[],
): string | undefined {
  const [best] = names
    .map((name) => ({
      name,
      far: distance(text.toLowerCase(), name.toLowerCase()),
    }))
    .filter(({ name, far }) => far <= Math.max(1, Math.ceil(name.length / 3)))
    .toSorted((a, b) => a.far - b.far);
  return best?.name;
}

/** How many letters are to be put in, taken out, replaced, or swapped with the next one (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(
        ...[row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (isSame ? 0 : 1)],
      );
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] &&
        a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, before[j - 2]! + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
