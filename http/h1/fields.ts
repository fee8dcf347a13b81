import { Buffer } from "node:buffer";

/** Names as written, values without space around, a character for each octet. */
export type Fields = readonly (readonly [name: string, value: string])[];

export const maxFields = 200;

/** A message is not what RFC 9112 says. `status` is for who sent it, if that was a client. */
export class FramingError extends Error {
  override readonly name = "FramingError";

  constructor(readonly status: 400 | 408 | 431 | 505, message: string) {
    super(message);
  }
}

const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// deno-lint-ignore no-control-regex
const control = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * Where the head that begins `octets` ends: the octet after its empty line, or `undefined` while that is not there.
 *
 * @throws {FramingError} for a line that ends in a line feed alone, where others would see the end of the head, and for
 * too many lines.
 */
export function findHeadEnd(octets: Uint8Array): number | undefined {
  for (let begin = 0, lines = 0;; lines++) {
    if (lines > maxFields + 1) {
      throw new FramingError(431, `more than ${maxFields} header fields`);
    }
    const end = octets.indexOf(0x0a, begin);
    if (end < 0) return undefined;
    if (end === begin || octets[end - 1] !== 0x0d) {
      throw new FramingError(400, "a line ends in a line feed alone");
    }
    if (end === begin + 1) return end + 1;
    begin = end + 1;
  }
}

/** The lines of a whole head; the first is the start line. */
export function linesOf(head: Uint8Array): string[] {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length);
  return text.toString("latin1", 0, head.length - 4).split("\r\n");
}

/** @throws {FramingError} */
export function parseFields(lines: readonly string[]): Fields {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    // Space before the colon and folded lines fail here too (RFC 9112 sections 5.1 and 5.2).
    if (!fieldName.test(name)) {
      throw new FramingError(400, "a line is no header field");
    }
    if (control.test(line)) {
      throw new FramingError(400, `field "${name}" holds a control character`);
    }
    return [name, trim(line.slice(colon + 1))];
  });
}

/** Without spaces and tabs around; `String.trim` takes away more than RFC 9110 calls whitespace. */
function trim(text: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(begin, end);
}

function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x09;
}

/** Values of the fields of a name, given in lower case. */
export function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([field]) =>
    field.length === name.length && field.toLowerCase() === name
  ).map(([, value]) => value);
}

/** Whether a list field, like `Connection`, holds `token`, given in lower case. */
export function hasToken(fields: Fields, name: string, token: string): boolean {
  return valuesOf(fields, name).some((value) =>
    value.split(",").some((one) => trim(one).toLowerCase() === token)
  );
}
