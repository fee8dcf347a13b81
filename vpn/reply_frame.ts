/** Frames that answer an app's packet instead of the service. */
import {
  addressesOf,
  icmpErrorBytes,
  type Ip,
  ipHeaderBytes,
  type IpPacket,
  protocols,
  pseudoHeaderSum,
  tcpChecksumAt,
  tcpHeaderBytes,
  type Undelivered,
  writeIcmpError,
  writeIpHeader,
  writeTcpReset,
  writeUint16,
} from "../net/mod.ts";
import { askForChecksum, clearVnet, frameStart, packetStart } from "./frame.ts";

/**
 * Writes the reset that answers a TCP packet. `into` may be the packet's own buffer.
 *
 * @returns the octets of the frame; 0 when the packet is a reset itself, which is never answered.
 */
export function writeResetFrame(into: Uint8Array, packet: IpPacket): number {
  const tcp = new Uint8Array(tcpHeaderBytes);
  if (!writeTcpReset(tcp, 0, packet)) return 0;
  const { source, destination } = addressesOf(packet);
  const header = {
    source: destination.slice(),
    destination: source.slice(),
    protocol: protocols.tcp,
    payloadBytes: tcpHeaderBytes,
  };
  const start = ipHeaderBytes(packet.family);
  const at = packetStart + start;
  writeIpHeader(into, packetStart, header);
  into.set(tcp, at);
  writeUint16(into, at + tcpChecksumAt, pseudoHeaderSum(header));
  askForChecksum(into, { start, offset: tcpChecksumAt });
  return at + tcpHeaderBytes - frameStart;
}

/**
 * A buffer with the frame that sends a packet back.
 *
 * @param from Who says so.
 */
export function icmpErrorFrame(
  packet: IpPacket,
  { reason, from }: { reason: Undelivered; from: Ip },
): { buffer: Uint8Array<ArrayBuffer>; length: number } {
  const buffer = new Uint8Array(packetStart + icmpErrorBytes);
  clearVnet(buffer);
  const written = writeIcmpError(buffer, packetStart, {
    packet,
    from: from.bytes,
    reason,
  });
  return { buffer, length: packetStart - frameStart + written };
}
