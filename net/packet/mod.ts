/** Packets as octets: views and checksums without allocation. */
export {
  deltaOf,
  fold,
  readUint16,
  readUint32,
  sumOf,
  updateChecksum,
  updateSum,
  writeUint16,
  writeUint32,
} from "./checksum.ts";
export {
  type Unreachable,
  unreachableBytes,
  writeUnreachable,
} from "./icmp.ts";
export {
  addressesOf,
  type IpHeader,
  ipHeaderBytes,
  pseudoHeaderSum,
  writeIpHeader,
} from "./ip_header.ts";
export { IpPacket, protocols } from "./ip_packet.ts";
export {
  isTcp,
  tcpChecksumAt,
  tcpFlags,
  tcpFlagsOf,
  tcpHeaderBytes,
  writeTcpReset,
} from "./tcp.ts";
export { udpChecksumAt, udpHeaderBytes, udpPayloadBytes } from "./udp.ts";
