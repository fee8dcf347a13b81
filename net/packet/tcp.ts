import type { IpPacket } from "./ip_packet.ts";
import {
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from "./checksum.ts";

/** Octets of a TCP header without options. */
export const tcpHeaderBytes = 20;
/** Where the checksum stands in a TCP header. */
export const tcpChecksumAt = 16;

/** Control bits (RFC 9293 section 3.1). */
export const tcpFlags = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

/** True when the packet holds a whole TCP header with its options. */
export function isTcp({ bytes, payload, end }: IpPacket): boolean {
  if (end - payload < tcpHeaderBytes) return false;
  const headerBytes = (bytes[payload + 12]! >> 4) * 4;
  return headerBytes >= tcpHeaderBytes && payload + headerBytes <= end;
}

/** The control bits of a TCP packet. */
export function tcpFlagsOf({ bytes, payload }: IpPacket): number {
  return bytes[payload + 13]!;
}

/**
 * Writes the TCP header of the reset that answers a packet (RFC 9293 section 3.10.7.1), its checksum field zero.
 *
 * @returns false when the packet is a reset itself: none is answered.
 */
export function writeTcpReset(
  into: Uint8Array,
  at: number,
  packet: IpPacket,
): boolean {
  const { bytes, payload, end } = packet;
  const flags = tcpFlagsOf(packet);
  if (flags & tcpFlags.rst) return false;
  into.fill(0, at, at + tcpHeaderBytes);
  writeUint16(into, at, readUint16(bytes, payload + 2));
  writeUint16(into, at + 2, readUint16(bytes, payload));
  into[at + 12] = tcpHeaderBytes / 4 << 4;
  if (flags & tcpFlags.ack) {
    writeUint32(into, at + 4, readUint32(bytes, payload + 8));
    into[at + 13] = tcpFlags.rst;
    return true;
  }
  const dataBytes = end - payload - (bytes[payload + 12]! >> 4) * 4;
  const counted = (flags & tcpFlags.syn ? 1 : 0) + (flags & tcpFlags.fin);
  const sequence = readUint32(bytes, payload + 4);
  writeUint32(into, at + 8, sequence + dataBytes + counted >>> 0);
  into[at + 13] = tcpFlags.rst | tcpFlags.ack;
  return true;
}
