/** Heads of HTTP/1.1 messages (RFC 9112): encoding of requests, decoding of responses. */
import type { ByteSource } from "./_byte_source.ts";
import { ObstacleError } from "./unreachable.ts";

/** Names and values in the order they are sent; a name may come twice. */
export type HeaderList = readonly (readonly [string, string])[];

export interface RequestHead {
  method: string;
  /** Path and query, or authority for CONNECT. */
  target: string;
  headers: HeaderList;
}

export interface ResponseHead {
  status: number;
  /** By lower-case name; of several the values are joined by commas. */
  headers: ReadonlyMap<string, string>;
  /** Whether the connection can serve another request after this one. */
  reusable: boolean;
}

/**
 * Encodes a request's head with its empty line.
 *
 * @throws {TypeError} when a value would break the line it stands on.
 */
export function encodeRequestHead(
  { method, target, headers }: RequestHead,
): Uint8Array {
  const lines = [[method, target], ...headers].map(([name, value], i) => {
    // The value may be a secret: it is not told.
    if (/[\r\n\0]/.test(name + value)) {
      throw new TypeError(`Cannot send header "${name}": line end in it`);
    }
    return i === 0 ? `${name} ${value} HTTP/1.1` : `${name}: ${value}`;
  });
  return new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n");
}

/**
 * Decodes the text before the empty line.
 *
 * @throws {ObstacleError} `protocol` when it is not HTTP.
 */
export function decodeResponseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) {
    throw new ObstacleError({
      kind: "protocol",
      detail: "what answers does not speak HTTP",
    });
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const closing = /\bclose\b/i.test(headers.get("connection") ?? "");
  return {
    status: Number(status),
    headers,
    reusable: minor === "1" && !closing,
  };
}

/**
 * Reads a response's head; interim ones (100, 103) are skipped. What follows it stays in `source`, whose buffer bounds
 * the head.
 *
 * @returns `undefined` when the connection ended before the first byte.
 * @throws {ObstacleError} `protocol` or `reset`.
 */
export async function readResponseHead(
  source: ByteSource,
): Promise<ResponseHead | undefined> {
  for (;;) {
    const end = endOfHead(source.peek());
    if (end === undefined) {
      if (await fillHead(source)) continue;
      if (source.peek().length === 0) return undefined;
      throw new ObstacleError({
        kind: "reset",
        detail: "the connection ended amid an answer",
      });
    }
    const text = new TextDecoder("latin1").decode(
      source.peek().subarray(0, end),
    );
    source.consume(end);
    const head = decodeResponseHead(text.trimEnd());
    if (head.status >= 200 || head.status === 101) return head;
  }
}

async function fillHead(source: ByteSource): Promise<boolean> {
  try {
    return await source.fill();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const detail = "its answer has too long a head";
    throw new ObstacleError({ kind: "protocol", detail }, { cause });
  }
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Where the head ends, its empty line included. */
function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(newline); at >= 0;) {
    const next = bytes[at + 1] === carriageReturn ? at + 2 : at + 1;
    if (bytes[next] === newline) return next + 1;
    at = bytes.indexOf(newline, at + 1);
  }
  return undefined;
}
