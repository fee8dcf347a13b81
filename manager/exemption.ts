import { type Ip, Subnet } from "../net/mod.ts";

/** Where the leash gives way: a subnet, on one port or on all. */
export interface Exemption {
  readonly subnet: Subnet;
  /** All ports when absent. */
  readonly port?: number;
}

/**
 * Parses a list such as `169.254.169.254:80, 10.0.0.0/8, [fd00::/8]:443`, as an admin writes it into `TP_ALLOW`.
 *
 * @throws {SyntaxError} when an item is no subnet with or without a port.
 */
export function parseExemptions(text: string): Exemption[] {
  return text.split(/[\s,]+/).filter((item) => item !== "").map(parseOne);
}

function parseOne(item: string): Exemption {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(item);
  const plain = /^([^:]+):(\d+)$/.exec(item);
  const [, subnet, port] = bracketed ?? plain ?? [item, item];
  const exemption = { subnet: Subnet.parse(subnet!) };
  if (port === undefined) return exemption;
  if (Number(port) < 1 || Number(port) > 65_535) {
    throw new SyntaxError(`Cannot parse exemption "${item}": no such port`);
  }
  return { ...exemption, port: Number(port) };
}

export function isExempt(
  exemptions: readonly Exemption[],
  to: { ip: Ip; port: number },
): boolean {
  return exemptions.some(({ subnet, port }) =>
    subnet.contains(to.ip) && (port === undefined || port === to.port)
  );
}
