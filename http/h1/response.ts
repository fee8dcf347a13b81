import { linesOf, parseFields, valuesOf } from "./fields.ts";
import { parseLength } from "./length.ts";
import { type Framing, persists, type Request } from "./request.ts";

/** What the head of a response says. */
export interface Response {
  readonly status: number;
  readonly framing: Framing;
  /** Whether the connection goes on after it, seen from the server. Never after what can be read in two ways. */
  readonly persists: boolean;
}

/**
 * Parses a whole head, with its empty line.
 *
 * @returns `undefined` when it is no head; `"invalid"` when the length of its body is told in two ways (RFC 9112
 * section 6.3 has a proxy throw it away then).
 */
export function parseResponse(
  octets: Uint8Array,
  request: Request,
): Response | "invalid" | undefined {
  const [start, ...lines] = linesOf(octets);
  const line = /^HTTP\/(1\.[01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
    .exec(start!);
  if (line === null) return undefined;
  const version = line[1]!;
  const status = Number(line[2]);
  let fields;
  try {
    fields = parseFields(lines);
  } catch {
    return undefined;
  }
  const { method } = request.head;
  const goesOn = persists(version, fields);
  const hasNoBody = method === "HEAD" || status < 200 || status === 204 ||
    status === 304 || method === "CONNECT" && status < 300;
  if (hasNoBody) {
    return { status, framing: { kind: "none" }, persists: goesOn };
  }

  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  if (codings.length > 0) {
    const isChunked = codings.length === 1 &&
      codings[0]!.toLowerCase() === "chunked";
    // RFC 9112 section 6.1: a length beside it, or HTTP/1.0, and the connection can't be trusted further.
    const isClear = isChunked && lengths.length === 0 && version === "1.1";
    return {
      status,
      framing: { kind: isChunked ? "chunked" : "until-close" },
      persists: goesOn && isClear,
    };
  }
  if (lengths.length === 0) {
    return { status, framing: { kind: "until-close" }, persists: false };
  }
  const all = lengths.flatMap((value) => value.split(/[\t ]*,[\t ]*/));
  const length = parseLength(all[0]!);
  if (length === undefined || new Set(all).size > 1) return "invalid";
  return {
    status,
    framing: length === 0
      ? { kind: "none" }
      : { kind: "length", octets: length },
    persists: goesOn && all.length === 1,
  };
}
