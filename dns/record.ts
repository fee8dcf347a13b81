import { Fqdn } from "./name.ts";

/** One resource record, free of the message it came in. */
export interface ResourceRecord {
  readonly name: Fqdn;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  /** RDATA; the names in it are written in full. */
  readonly data: Uint8Array;
}

/**
 * Types whose data may hold compressed names (RFC 3597 section 4): octets before the first name, and how many names
 * follow each other. All other data is opaque.
 */
const compressible: Readonly<
  Record<number, { before: number; names: number }>
> = {
  2: { before: 0, names: 1 }, // NS
  3: { before: 0, names: 1 }, // MD
  4: { before: 0, names: 1 }, // MF
  5: { before: 0, names: 1 }, // CNAME
  6: { before: 0, names: 2 }, // SOA
  7: { before: 0, names: 1 }, // MB
  8: { before: 0, names: 1 }, // MG
  9: { before: 0, names: 1 }, // MR
  12: { before: 0, names: 1 }, // PTR
  14: { before: 0, names: 2 }, // MINFO
  15: { before: 2, names: 1 }, // MX
  17: { before: 0, names: 2 }, // RP
  18: { before: 2, names: 1 }, // AFSDB
  21: { before: 2, names: 1 }, // RT
  26: { before: 2, names: 2 }, // PX
  33: { before: 6, names: 1 }, // SRV
  39: { before: 0, names: 1 }, // DNAME
};

/**
 * Reads the record at `at` of a message.
 *
 * @returns the record and the offset of what follows it; `undefined` when no record is there.
 */
export function decodeRecord(
  message: Uint8Array,
  at: number,
): { record: ResourceRecord; end: number } | undefined {
  const read = Fqdn.decode(message, at);
  if (read === undefined || read.end + 10 > message.length) return undefined;
  const view = new DataView(message.buffer, message.byteOffset + read.end, 10);
  const type = view.getUint16(0);
  const start = read.end + 10;
  const end = start + view.getUint16(8);
  if (end > message.length) return undefined;
  const data = expand(message, { type, start, end });
  if (data === undefined) return undefined;
  const seconds = view.getUint32(4);
  // A TTL with the top bit set counts as zero (RFC 2181 section 8).
  const ttl = seconds > 0x7fff_ffff ? 0 : seconds;
  const record = {
    name: read.name,
    type,
    class: view.getUint16(2),
    ttl,
    data,
  };
  return { record, end };
}

/** Copies the data between `start` and `end`, with its names written in full. */
function expand(
  message: Uint8Array,
  { type, start, end }: { type: number; start: number; end: number },
): Uint8Array | undefined {
  const layout = compressible[type];
  if (layout === undefined) return message.slice(start, end);
  let at = start + layout.before;
  const parts = [message.subarray(start, at)];
  for (let i = 0; i < layout.names; i++) {
    const read = Fqdn.decode(message, at);
    if (read === undefined || read.end > end) return undefined;
    parts.push(read.name.encode());
    at = read.end;
  }
  parts.push(message.subarray(at, end));
  return concat(parts);
}

function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
