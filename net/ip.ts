/** IPv4 and IPv6 addresses as values: parsed once at the door, never text inside. */

/** An IP address. Immutable; compare with {@link Ip.equals} or by {@link Ip.toString}. */
export class Ip {
  /** 4 or 16 octets in network order. Must not be written to. */
  readonly bytes: Uint8Array;
  /** The interface that leads to a link-local address, by name or number (RFC 4007 section 11); mostly none. */
  readonly zone: string | undefined;

  private constructor(bytes: Uint8Array, zone?: string) {
    this.bytes = bytes;
    this.zone = zone;
  }

  get family(): 4 | 6 {
    return this.bytes.length === 4 ? 4 : 6;
  }

  /** Length of the address in bits: 32 or 128. */
  get bits(): 32 | 128 {
    return this.bytes.length === 4 ? 32 : 128;
  }

  /**
   * Takes 4 or 16 octets in network order (copied). An IPv4-mapped IPv6 address stays what it is.
   *
   * @throws {RangeError} for any other length.
   */
  static of(octets: Uint8Array): Ip {
    if (octets.length !== 4 && octets.length !== 16) {
      throw new RangeError(`Cannot make an address: ${octets.length} octets`);
    }
    return new Ip(octets.slice());
  }

  /**
   * Parses dotted decimal IPv4 (no octal, no short forms) or IPv6 text (RFC 4291 section 2.2, no zone).
   *
   * @throws {SyntaxError} when the text is neither.
   */
  static parse(text: string): Ip {
    const ip = Ip.tryParse(text);
    if (ip === undefined) {
      throw new SyntaxError(`Cannot parse address "${text}"`);
    }
    return ip;
  }

  /** As {@link Ip.parse}, `undefined` instead of an exception. */
  static tryParse(text: string): Ip | undefined {
    const bytes = text.includes(":") ? parseV6(text) : parseV4(text);
    return bytes && new Ip(bytes);
  }

  /** As {@link Ip.tryParse}, also of a link-local IPv6 address with its zone: `fe80::1%eth0`. */
  static tryParseZoned(text: string): Ip | undefined {
    const at = text.indexOf("%");
    if (at < 0) return Ip.tryParse(text);
    const [ip, zone] = [Ip.tryParse(text.slice(0, at)), text.slice(at + 1)];
    const isZone = ip?.family === 6 && ip.isLinkLocal &&
      /^[^\s%/]+$/.test(zone);
    return isZone ? new Ip(ip.bytes, zone) : undefined;
  }

  /** The address without its zone. */
  get bare(): Ip {
    return this.zone === undefined ? this : new Ip(this.bytes);
  }

  /** The address as an integer of {@link Ip.bits} bits. */
  toBigInt(): bigint {
    let value = 0n;
    for (const octet of this.bytes) value = value << 8n | BigInt(octet);
    return value;
  }

  /** The address `value` of the given family; `value` is taken modulo the address space. */
  static fromBigInt(value: bigint, family: 4 | 6): Ip {
    const bytes = new Uint8Array(family === 4 ? 4 : 16);
    for (let i = bytes.length - 1; i >= 0; i--) {
      bytes[i] = Number(value & 0xffn);
      value >>= 8n;
    }
    return new Ip(bytes);
  }

  equals(other: Ip): boolean {
    return this.bytes.length === other.bytes.length &&
      this.zone === other.zone &&
      this.bytes.every((octet, i) => octet === other.bytes[i]);
  }

  /** Order by family, then by the octets: below 0, 0 or above 0, as `Array.sort` wants it. */
  compare(other: Ip): number {
    const [left, right] = [this.bytes, other.bytes];
    if (left.length !== right.length) return left.length - right.length;
    let at = 0;
    while (at < left.length - 1 && left[at] === right[at]) at++;
    return left[at]! - right[at]!;
  }

  /** 127.0.0.0/8 or ::1. */
  get isLoopback(): boolean {
    return this.family === 4 ? this.bytes[0] === 127 : this.toBigInt() === 1n;
  }

  /** 169.254.0.0/16 or fe80::/10. */
  get isLinkLocal(): boolean {
    const [a, b] = this.bytes as unknown as [number, number];
    return this.family === 4
      ? a === 169 && b === 254
      : a === 0xfe && (b & 0xc0) === 0x80;
  }

  /** 224.0.0.0/4, 255.255.255.255 or ff00::/8. */
  get isMulticastOrBroadcast(): boolean {
    if (this.family === 6) return this.bytes[0] === 0xff;
    return (this.bytes[0]! & 0xf0) === 0xe0 ||
      this.bytes.every((octet) => octet === 255);
  }

  /** 0.0.0.0 or ::. */
  get isUnspecified(): boolean {
    return this.bytes.every((octet) => octet === 0);
  }

  /** Canonical text (RFC 5952 for IPv6). */
  toString(): string {
    const text = this.family === 4
      ? this.bytes.join(".")
      : formatV6(this.bytes);
    return this.zone === undefined ? text : `${text}%${this.zone}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** An address and a port: one end of a flow. */
export interface Endpoint {
  readonly ip: Ip;
  readonly port: number;
}

/** Text of an address and port: `1.2.3.4:80`, `[::1]:80` (RFC 3986 section 3.2.2). */
export function formatEndpoint(ip: Ip, port: number): string {
  return ip.family === 4 ? `${ip}:${port}` : `[${ip}]:${port}`;
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) {
      return undefined;
    }
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  if (halves.length === 2 && halves[0]!.includes(".")) return undefined;
  const groups = halves.map((half) =>
    half === "" ? [] : parseGroups(half.split(":"))
  );
  const [head, tail] = groups;
  if (head === undefined || groups.includes(undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
  const bytes = new Uint8Array(16);
  all.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

/** Sixteen-bit groups; a dotted IPv4 tail counts as two (RFC 4291 section 2.2, form 3). */
function parseGroups(parts: string[]): number[] | undefined {
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.includes(".")) {
      const tail = i === parts.length - 1 ? parseV4(part) : undefined;
      if (tail === undefined) return undefined;
      groups.push(tail[0]! << 8 | tail[1]!, tail[2]! << 8 | tail[3]!);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      groups.push(parseInt(part, 16));
    }
  }
  return groups;
}

function formatV6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => bytes[2 * i]! << 8 | bytes[2 * i + 1]!,
  );
  const gap = longestZeroRun(groups);
  const text = (from: number, to: number) =>
    groups.slice(from, to).map((group) => group.toString(16)).join(":");
  return gap === undefined
    ? text(0, 8)
    : `${text(0, gap.start)}::${text(gap.end, 8)}`;
}

/** The first longest run of two or more zero groups (RFC 5952 section 4.2.2 and 4.2.3). */
function longestZeroRun(
  groups: number[],
): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > Math.max(1, best ? best.end - best.start : 0)) {
      best = { start, end };
    }
    start = Math.max(start, end - 1);
  }
  return best;
}
