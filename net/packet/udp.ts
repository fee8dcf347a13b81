import { readUint16 } from "./checksum.ts";
import type { IpPacket } from "./ip_packet.ts";

export const udpHeaderBytes = 8;
/** Where the checksum stands in a UDP header. */
export const udpChecksumAt = 6;

/**
 * Octets of the payload of a datagram whose headers are whole, or -1 when the lengths contradict each other.
 * A length of 0 means "to the end", as of IPv6 jumbograms and of datagrams that segmentation offload has joined.
 */
export function udpPayloadBytes({ bytes, payload, end }: IpPacket): number {
  const room = end - payload;
  if (room < udpHeaderBytes) return -1;
  const length = readUint16(bytes, payload + 4) || room;
  if (length < udpHeaderBytes || length > room) return -1;
  return length - udpHeaderBytes;
}
