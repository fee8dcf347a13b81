/**
 * Frames of a utun device: a packet behind the number of its address family, in network order. Inside of this room packets
 * stand behind a header of virtio-net (`frame.ts`), which is longer: the packet stays where it is, and the header is what
 * changes.
 */
import { sumOf, writeUint16 } from "../net/mod.ts";
import { frameStart, packetStart } from "./frame.ts";

const vnetBytes = packetStart - frameStart;
const familyBytes = 4;
/** Where a frame of utun begins in one of ours. */
export const utunStart = vnetBytes - familyBytes;

const families = { 4: 2, 6: 30 } as const; // AF_INET, AF_INET6
const udpChecksumOffset = 6;

/**
 * Makes what was read into `frame` from {@link utunStart} on a frame of ours: one whole packet with all its checksums.
 *
 * @returns its octets; negative when nothing was read.
 */
export function fromUtun(frame: Uint8Array, readBytes: number): number {
  if (readBytes <= familyBytes) return -1;
  frame.fill(0, 0, vnetBytes);
  return utunStart + readBytes;
}

/** Makes a frame of ours one of utun: the checksum that the kernel was to finish is finished, for utun does not. */
export function toUtun(frame: Uint8Array, length: number): void {
  const isBegun = (frame[0]! & 1) !== 0; // VIRTIO_NET_HDR_F_NEEDS_CSUM
  if (isBegun) {
    const start = vnetBytes + (frame[6]! | frame[7]! << 8);
    const offset = frame[8]! | frame[9]! << 8;
    // The field holds the sum of the pseudo-header, which counts.
    const sum = ~sumOf(frame, { start, end: length }) & 0xffff;
    // Zero means "none" (RFC 768).
    const isNone = sum === 0 && offset === udpChecksumOffset;
    writeUint16(frame, start + offset, isNone ? 0xffff : sum);
  }
  const version = frame[vnetBytes]! >> 4;
  frame.fill(0, 0, vnetBytes);
  frame[vnetBytes - 1] = families[version === 6 ? 6 : 4];
}
