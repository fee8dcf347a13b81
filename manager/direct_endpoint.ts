import { Ip } from "../net/mod.ts";

/** Where laptops reach the manager without the API server; an admin sees to it that this leads to its direct port. */
export interface DirectEndpoint {
  /** An address or a name. */
  readonly host: string;
  readonly port: number;
}

/** Names as in DNS (RFC 1123 section 2.1). */
const namePattern =
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/i;
const maxNameLength = 253;

/**
 * Reads `HOST:PORT`, an IPv6 address in brackets.
 *
 * @throws {SyntaxError}
 */
export function parseDirectEndpoint(text: string): DirectEndpoint {
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  const isHost = bracketed === undefined
    ? host.length <= maxNameLength && namePattern.test(host)
    : Ip.tryParse(bracketed)?.family === 6;
  if (isHost && port >= 1 && port <= 65_535) return { host, port };
  throw new SyntaxError(`Cannot parse "${text}": it is no HOST:PORT`);
}

/** Writes what {@link parseDirectEndpoint} reads. */
export function formatDirectEndpoint({ host, port }: DirectEndpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
