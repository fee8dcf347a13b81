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
  echoHeaderBytes,
  echoIdentifierAt,
  echoInFlow,
  type EchoKind,
  echoSequenceAt,
  echoTypes,
  isEcho,
  isEchoInFlow,
} from "./echo.ts";
export {
  icmpErrorBytes,
  type Undelivered,
  type Unreachable,
  writeIcmpError,
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
