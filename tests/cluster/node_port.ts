/** A port of the range that nodes have for Services; seldom one that is taken. */
export function randomNodePort(): number {
  return 30_000 + Math.floor(Math.random() * 2_768);
}
