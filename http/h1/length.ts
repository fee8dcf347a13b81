/** The number that a Content-Length is; `undefined` if it is none, or more than a number holds. */
export function parseLength(value: string): number | undefined {
  if (!/^\d{1,16}$/.test(value)) return undefined;
  const octets = Number(value);
  return Number.isSafeInteger(octets) ? octets : undefined;
}
