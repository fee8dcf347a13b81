import { Ip } from "../ip.ts";
import { readUint16 } from "./checksum.ts";

/** Protocol numbers (IANA). */
export const protocols = { icmp: 1, tcp: 6, udp: 17, icmpV6: 58 } as const;

const fragmentHeader = 44;

/**
 * Reads the header of one IP packet in place. One view is used for many packets: {@link IpPacket.parse} points it at
 * the next, and nothing is allocated.
 */
export class IpPacket {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the packet begins in {@link bytes}. */
  start = 0;
  /** Where it ends, by its own header. */
  end = 0;
  family: 4 | 6 = 4;
  /** Of the payload; for a fragment of what it is a part of. */
  protocol = 0;
  /** Where the payload begins: behind IPv4 options or the IPv6 fragment header. */
  payload = 0;
  /** Where the source address begins, and the destination address after it. */
  source = 0;
  destination = 0;
  /** Offset of this fragment in octets, whether more follow, and what its siblings share. */
  fragmentOffset = 0;
  moreFragments = false;
  identification = 0;

  /** Points the view at a packet. Returns false for what is no whole, well-formed header; IPv6 extension headers other than the fragment's are passed on as the protocol. */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    this.bytes = bytes;
    this.start = start;
    if (end - start < 20) return false;
    const version = bytes[start]! >> 4;
    if (version === 4) return this.#parseV4(end);
    return version === 6 && end - start >= 40 && this.#parseV6(end);
  }

  get isFragment(): boolean {
    return this.moreFragments || this.fragmentOffset > 0;
  }

  /** The addresses as values (allocates). */
  get sourceIp(): Ip {
    return this.#ip(this.source);
  }

  get destinationIp(): Ip {
    return this.#ip(this.destination);
  }

  #ip(at: number): Ip {
    return Ip.of(this.bytes.subarray(at, at + (this.family === 4 ? 4 : 16)));
  }

  #parseV4(end: number): boolean {
    const { bytes, start } = this;
    const headerBytes = (bytes[start]! & 0xf) * 4;
    const totalBytes = readUint16(bytes, start + 2);
    if (headerBytes < 20 || totalBytes < headerBytes) return false;
    if (start + totalBytes > end) return false;
    this.family = 4;
    this.end = start + totalBytes;
    this.protocol = bytes[start + 9]!;
    this.payload = start + headerBytes;
    this.source = start + 12;
    this.destination = start + 16;
    const fragment = readUint16(bytes, start + 6);
    this.moreFragments = (fragment & 0x2000) !== 0;
    this.fragmentOffset = (fragment & 0x1fff) * 8;
    this.identification = readUint16(bytes, start + 4);
    return true;
  }

  #parseV6(end: number): boolean {
    const { bytes, start } = this;
    const totalBytes = 40 + readUint16(bytes, start + 4);
    if (start + totalBytes > end) return false;
    this.family = 6;
    this.end = start + totalBytes;
    this.protocol = bytes[start + 6]!;
    this.payload = start + 40;
    this.source = start + 8;
    this.destination = start + 24;
    this.moreFragments = false;
    this.fragmentOffset = 0;
    this.identification = 0;
    if (this.protocol !== fragmentHeader) return true;
    if (totalBytes < 48) return false;
    const fragment = readUint16(bytes, start + 42);
    this.protocol = bytes[start + 40]!;
    this.payload = start + 48;
    this.moreFragments = (fragment & 1) !== 0;
    this.fragmentOffset = fragment & 0xfff8;
    this.identification = readUint16(bytes, start + 44) * 0x10000 +
      readUint16(bytes, start + 46);
    return true;
  }
}
