import { sumOf, writeUint16 } from "./checksum.ts";
import {
  addressesOf,
  ipHeaderBytes,
  pseudoHeaderSum,
  writeIpHeader,
} from "./ip_header.ts";
import { type IpPacket, protocols } from "./ip_packet.ts";

/** Why a packet did not arrive. */
export type Unreachable = "network" | "host" | "port" | "prohibited";

/** The same, and "expired": it had no hop left. */
export type Undelivered = Unreachable | "expired";

type TypeAndCode = readonly [type: number, code: number];

/** RFC 792, RFC 1812 section 5.2.7.1. */
const errorsV4: Record<Undelivered, TypeAndCode> = {
  network: [3, 0],
  host: [3, 1],
  port: [3, 3],
  prohibited: [3, 13],
  expired: [11, 0],
};
/** RFC 4443 sections 3.1 and 3.3. */
const errorsV6: Record<Undelivered, TypeAndCode> = {
  network: [1, 0],
  host: [1, 3],
  port: [1, 4],
  prohibited: [1, 1],
  expired: [3, 0],
};

/** Longest packet that tells an error: RFC 1812 section 4.3.2.3, RFC 4443 section 3.1. */
const longest = { 4: 576, 6: 1280 } as const;
const icmpHeaderBytes = 8;

/** Room that {@link writeIcmpError} needs. */
export const icmpErrorBytes = longest[6];

/**
 * Writes the packet that tells the sender of `packet` that it did not arrive.
 *
 * @param from Who tells it, of the packet's family.
 * @returns how many octets were written.
 */
export function writeIcmpError(
  into: Uint8Array,
  at: number,
  { packet, from, reason }: {
    packet: IpPacket;
    from: Uint8Array;
    reason: Undelivered;
  },
): number {
  const { family, bytes, start, end } = packet;
  const begin = at + ipHeaderBytes(family);
  const room = at + longest[family] - begin - icmpHeaderBytes;
  const quoted = Math.min(end - start, room);
  const header = {
    source: from,
    destination: addressesOf(packet).source,
    protocol: family === 4 ? protocols.icmp : protocols.icmpV6,
    payloadBytes: icmpHeaderBytes + quoted,
  };
  writeIpHeader(into, at, header);
  into.fill(0, begin, begin + icmpHeaderBytes);
  into.set((family === 4 ? errorsV4 : errorsV6)[reason], begin);
  into.set(
    bytes.subarray(start, start + quoted),
    begin + icmpHeaderBytes,
  );
  const sum = sumOf(into, {
    start: begin,
    end: begin + header.payloadBytes,
    initial: family === 4 ? 0 : pseudoHeaderSum(header),
  });
  writeUint16(into, begin + 2, ~sum & 0xffff);
  return begin + header.payloadBytes - at;
}
