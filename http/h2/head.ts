import type { RequestHead } from "../request_head.ts";
import { parseLength } from "../h1/length.ts";
import { H2Error } from "./error.ts";
import type { H2Field } from "./hpack_decoder.ts";

/** A head that RFC 9113 sections 8.2 and 8.3 allow. */
export interface Parsed {
  readonly pseudo: ReadonlyMap<string, string>;
  /** What its Content-Length says. */
  readonly octets: number | undefined;
  readonly rest: readonly H2Field[];
}

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// deno-lint-ignore no-control-regex
const control = /[\x00-\x08\x0a-\x1f\x7f]/;
const spaceAround = /^[\t ]|[\t ]$/;
// deno-lint-ignore no-control-regex
const spaceOrControl = /[\x00-\x20\x7f]/;
/** They belong to one connection of HTTP/1, or, under another name, decide where a body ends. */
const banned = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "transfer_encoding",
  "content_length",
]);
const requestPseudo = new Set([":method", ":scheme", ":path", ":authority"]);

/** @throws {H2Error} of the connection's making; the caller says of which stream. */
export function parseRequestHead(fields: readonly H2Field[]): {
  head: RequestHead;
  octets: number | undefined;
} {
  const { pseudo, rest, octets } = parseHead(fields, requestPseudo);
  const method = pseudo.get(":method") ?? "";
  const path = pseudo.get(":path");
  const authority = pseudo.get(":authority");
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) malformed("a method");
  for (const value of pseudo.values()) {
    if (spaceOrControl.test(value)) malformed("a pseudo header");
  }
  if (method === "CONNECT") {
    if (pseudo.has(":scheme") || path !== undefined || !authority) {
      malformed("CONNECT");
    }
  } else {
    if (!/^[A-Za-z][A-Za-z0-9+.-]*$/.test(pseudo.get(":scheme") ?? "")) {
      malformed("a scheme");
    }
    const isStar = path === "*" && method === "OPTIONS";
    if (!isStar && !path?.startsWith("/")) malformed("a path");
  }
  if (authority?.includes("@")) malformed("an authority");
  const hosts = rest.filter(([name]) => name === "host");
  if (hosts.length > 1) malformed("several host fields");
  const host = hosts[0]?.[1];
  if (
    host !== undefined && authority !== undefined &&
    host.toLowerCase() !== authority.toLowerCase()
  ) malformed("a host that is not the authority");
  return {
    head: {
      version: "2",
      method,
      target: path ?? authority!,
      headers: rest.map(([name, value]) => [name, value]),
    },
    octets,
  };
}

const responsePseudo = new Set([":status"]);

/** @throws {H2Error} */
export function parseResponseHead(fields: readonly H2Field[]): {
  status: number;
  octets: number | undefined;
} {
  const { pseudo, octets } = parseHead(fields, responsePseudo);
  const status = pseudo.get(":status") ?? "";
  if (!/^[1-9]\d\d$/.test(status) || status === "101") malformed("a status");
  return { status: Number(status), octets };
}

/** @throws {H2Error} */
export function checkTrailers(fields: readonly H2Field[]): void {
  parseHead(fields, new Set());
}

function parseHead(
  fields: readonly H2Field[],
  allowed: ReadonlySet<string>,
): Parsed {
  const pseudo = new Map<string, string>();
  const rest: H2Field[] = [];
  let octets: number | undefined;
  for (const field of fields) {
    const [name, value] = field;
    if (control.test(value) || spaceAround.test(value)) {
      malformed("a value");
    }
    if (name.startsWith(":")) {
      if (rest.length > 0 || pseudo.has(name) || !allowed.has(name)) {
        malformed("a pseudo header out of its place");
      }
      pseudo.set(name, value);
      continue;
    }
    if (!fieldName.test(name) || banned.has(name)) malformed("a field name");
    if (name === "te" && value !== "trailers") malformed("te");
    if (name === "content-length") {
      const length = parseLength(value);
      if (length === undefined || octets !== undefined) malformed("a length");
      octets = length;
    }
    rest.push(field);
  }
  return { pseudo, rest, octets };
}

function malformed(what: string): never {
  throw new H2Error("protocol", `malformed: ${what}`);
}
