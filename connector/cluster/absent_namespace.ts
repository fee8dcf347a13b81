/** What is told of a namespace that is to be searched for single labels, or `mapped` alone, but is not there. */
export function absentNamespaceWarning(
  namespace: string,
  { mapped = false } = {},
): string {
  const effect = mapped
    ? "nothing in it is reached"
    : "no single-label name resolves";
  return `Warning: namespace "${namespace}" does not exist; ${effect}`;
}
