import { fold, sumOf, writeUint16 } from "./checksum.ts";
import type { IpPacket } from "./ip_packet.ts";

/** Hop limit of packets that are made here. */
const hops = 64;

export interface IpHeader {
  /** 4 or 16 octets in network order, as many as of the destination. */
  source: Uint8Array;
  destination: Uint8Array;
  protocol: number;
  /** Octets behind the header. */
  payloadBytes: number;
  /** Tells the fragments of one IPv4 packet from those of another. */
  identification?: number;
}

/** Octets of a header without options or extensions. */
export function ipHeaderBytes(family: 4 | 6): number {
  return family === 4 ? 20 : 40;
}

/** Writes the header of an unfragmented packet at `at`, its checksum included. */
export function writeIpHeader(
  into: Uint8Array,
  at: number,
  { source, destination, protocol, payloadBytes, identification = 0 }: IpHeader,
): void {
  if (source.length === 4) {
    into[at] = 0x45;
    into[at + 1] = 0;
    writeUint16(into, at + 2, 20 + payloadBytes);
    writeUint16(into, at + 4, identification);
    writeUint16(into, at + 6, 0);
    into[at + 8] = hops;
    into[at + 9] = protocol;
    writeUint16(into, at + 10, 0);
    into.set(source, at + 12);
    into.set(destination, at + 16);
    const sum = sumOf(into, { start: at, end: at + 20 });
    writeUint16(into, at + 10, ~sum & 0xffff);
    return;
  }
  into.fill(0, at, at + 4);
  into[at] = 0x60;
  writeUint16(into, at + 4, payloadBytes);
  into[at + 6] = protocol;
  into[at + 7] = hops;
  into.set(source, at + 8);
  into.set(destination, at + 24);
}

/** Sum of the pseudo-header that transport checksums cover (RFC 9293 section 3.1, RFC 8200 section 8.1). */
export function pseudoHeaderSum(
  { source, destination, protocol, payloadBytes }: IpHeader,
): number {
  const addresses = sumOf(source, {
    start: 0,
    end: source.length,
    initial: sumOf(destination, { start: 0, end: destination.length }),
  });
  return fold(addresses + protocol + payloadBytes);
}

/** The addresses of a packet as octets of its memory. */
export function addressesOf(
  { bytes, source, destination, family }: IpPacket,
): { source: Uint8Array; destination: Uint8Array } {
  const length = family === 4 ? 4 : 16;
  return {
    source: bytes.subarray(source, source + length),
    destination: bytes.subarray(destination, destination + length),
  };
}
