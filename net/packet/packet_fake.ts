/** Packets made octet by octet, as a plain reference for tests. */
import { Ip } from "../ip.ts";
import { IpPacket } from "./ip_packet.ts";

export interface FakePacket {
  from: string;
  to: string;
  protocol: number;
  /** Transport header and what follows it; its checksum field is filled in at this place, if one is given. */
  transport: number[];
  checksumAt?: number;
}

/** The octets of a packet whose checksums are whole. */
export function packetOf(
  { from, to, protocol, transport, checksumAt }: FakePacket,
): Uint8Array<ArrayBuffer> {
  const [source, destination] = [Ip.parse(from), Ip.parse(to)];
  const addresses = [...source.bytes, ...destination.bytes];
  const body = [...transport];
  if (checksumAt !== undefined) {
    const pseudo = [...addresses, 0, protocol, ...word(body.length)];
    const [high, low] = word(~plainSum([...pseudo, ...body]) & 0xffff);
    body[checksumAt] = high!;
    body[checksumAt + 1] = low!;
  }
  if (source.family === 6) {
    const fixed = [0x60, 0, 0, 0, ...word(body.length), protocol, 64];
    return Uint8Array.of(...fixed, ...addresses, ...body);
  }
  const head = [0x45, 0, ...word(20 + body.length), 0, 1, 0, 0, 64, protocol];
  const sum = word(~plainSum([...head, 0, 0, ...addresses]) & 0xffff);
  return Uint8Array.of(...head, ...sum, ...addresses, ...body);
}

/** A view of the octets. */
export function viewOf(bytes: Uint8Array): IpPacket {
  const packet = new IpPacket();
  if (!packet.parse(bytes, 0, bytes.length)) throw new Error("no packet");
  return packet;
}

/** True when the IPv4 header and the transport checksum at `checksumAt` of its header add up. */
export function addsUp(bytes: Uint8Array, checksumAt: number): boolean {
  const { family, payload, protocol, source, end } = viewOf(bytes);
  const isHeaderRight = family === 6 ||
    plainSum([...bytes.subarray(0, payload)]) === 0xffff;
  const body = [...bytes.subarray(payload, end)];
  const addresses = bytes.subarray(source, source + (family === 4 ? 8 : 32));
  const pseudo = [...addresses, 0, protocol, ...word(body.length)];
  return isHeaderRight && checksumAt < body.length &&
    plainSum([...pseudo, ...body]) === 0xffff;
}

/** RFC 1071 section 4.1, octet by octet. */
function plainSum(octets: number[]): number {
  let sum = 0;
  octets.forEach((octet, i) => {
    sum += i % 2 === 0 ? octet * 256 : octet;
    if (sum > 0xffff) sum -= 0xffff;
  });
  return sum;
}

export function word(value: number): number[] {
  return [value >> 8, value & 0xff];
}
