/** What is told of a namespace that is to be searched for single labels, but is not there. */
export function absentNamespaceWarning(namespace: string): string {
  return `Warning: namespace "${namespace}" does not exist; ` +
    "no single-label name resolves";
}
