import { isIP } from "node:net";

/** RFC 1123. A last label of digits is a way to write an address, and not one that is meant. */
const hostName =
  /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*(?!\d+$|0x)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?$/i;

/**
 * Reads where ports of the laptop are: an IP address, or the name of a host. Whether that is known shows when it is used.
 *
 * @throws {SyntaxError}
 */
export function parseLaptopAddress(text: string): string {
  if (isIP(text) !== 0 || hostName.test(text)) return text;
  throw new SyntaxError(
    `Cannot read address "${text}": it is neither an IP address nor the name of a host`,
  );
}
