import type { RequestHead } from "../request_head.ts";
import {
  type Fields,
  FramingError,
  hasToken,
  linesOf,
  parseFields,
  valuesOf,
} from "./fields.ts";
import { parseLength } from "./length.ts";

/** How long a body is. */
export type Framing =
  | { readonly kind: "none" | "chunked" | "until-close" }
  | { readonly kind: "length"; readonly octets: number };

/** What the head of a request says. */
export interface Request {
  readonly head: RequestHead & { readonly version: "1.0" | "1.1" };
  readonly framing: Framing;
  /** Whether the client may send a further request after this one. */
  readonly persists: boolean;
  /** Whether the client asks to speak another protocol: only then 101 is an answer. */
  readonly upgrades: boolean;
}

const requestLine =
  // deno-lint-ignore no-control-regex
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\x00-\x20\x7f]+) (HTTP\/\d\.\d)$/;
/** Servers that make variables of names see `-` and `_` as one. */
const disguised = /^(content_length|transfer_encoding)$/i;

/**
 * Parses a whole head, with its empty line.
 *
 * @throws {FramingError} for whatever two parsers could read in two ways.
 */
export function parseRequest(octets: Uint8Array): Request {
  const [start, ...lines] = linesOf(octets);
  const line = requestLine.exec(start!);
  if (line === null) throw new FramingError(400, "no request line");
  const [, method, target, protocol] = line as unknown as string[];
  const version = protocol!.slice("HTTP/".length);
  if (version !== "1.0" && version !== "1.1") {
    throw new FramingError(505, `version ${version}`);
  }
  const headers = parseFields(lines);
  if (valuesOf(headers, "host").length > 1) {
    throw new FramingError(400, "several Host fields");
  }
  const framing = framingOf(version, headers);
  if (method === "CONNECT" && framing.kind !== "none") {
    throw new FramingError(400, "CONNECT with a body");
  }
  return {
    head: { version, method: method!, target: target!, headers },
    framing,
    persists: persists(version, headers),
    upgrades: valuesOf(headers, "upgrade").length > 0,
  };
}

/** RFC 9112 section 6.3, without what it leaves to the tolerant. */
function framingOf(version: string, headers: Fields): Framing {
  if (headers.some(([name]) => disguised.test(name))) {
    throw new FramingError(400, "a length in disguise");
  }
  const codings = valuesOf(headers, "transfer-encoding");
  const lengths = valuesOf(headers, "content-length");
  if (codings.length > 0) {
    if (lengths.length > 0) {
      throw new FramingError(400, "both Content-Length and Transfer-Encoding");
    }
    if (version === "1.0") {
      throw new FramingError(400, "Transfer-Encoding in HTTP/1.0");
    }
    if (codings.length > 1 || codings[0]!.toLowerCase() !== "chunked") {
      throw new FramingError(400, "Transfer-Encoding is not just chunked");
    }
    return { kind: "chunked" };
  }
  if (lengths.length === 0) return { kind: "none" };
  const octets = lengths.length === 1 ? parseLength(lengths[0]!) : undefined;
  if (octets === undefined) {
    throw new FramingError(400, "Content-Length is not one number");
  }
  return octets === 0 ? { kind: "none" } : { kind: "length", octets };
}

/** Whether the connection goes on after a message (RFC 9112 section 9.3). */
export function persists(version: string, fields: Fields): boolean {
  if (hasToken(fields, "connection", "close")) return false;
  return version === "1.1" || hasToken(fields, "connection", "keep-alive");
}
