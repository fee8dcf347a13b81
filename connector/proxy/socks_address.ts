/** Addresses as SOCKS has them (RFC 1928 section 5): a kind, an address or a name, a port. Pure. */
import { Ip } from "../../net/mod.ts";

export interface SocksAddress {
  /** A name, or an address as text. */
  readonly host: string;
  readonly port: number;
}

const kinds = { v4: 1, name: 3, v6: 4 } as const;
const portBytes = 2;

/** Reads the address at `at`, and where what follows it begins; `undefined` when none is there. */
export function decodeSocksAddress(
  bytes: Uint8Array,
  at: number,
): SocksAddress & { end: number } | undefined {
  const kind = bytes[at];
  const isName = kind === kinds.name;
  const length = kind === kinds.v4
    ? 4
    : kind === kinds.v6
    ? 16
    : isName
    ? bytes[at + 1]
    : undefined;
  if (length === undefined || length === 0) return undefined;
  const start = at + (isName ? 2 : 1);
  const end = start + length + portBytes;
  if (bytes.length < end) return undefined;
  const octets = bytes.subarray(start, start + length);
  return {
    host: isName
      ? new TextDecoder().decode(octets)
      : Ip.of(octets.slice()).toString(),
    port: bytes[end - 2]! << 8 | bytes[end - 1]!,
    end,
  };
}

/** Writes an address that is no name. */
export function encodeSocksAddress({ host, port }: SocksAddress): Uint8Array {
  const { family, bytes } = Ip.parse(host);
  const kind = family === 4 ? kinds.v4 : kinds.v6;
  return new Uint8Array([kind, ...bytes, port >> 8, port & 0xff]);
}
