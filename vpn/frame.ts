/** What stands before each packet of the device: the header of virtio-net (`struct virtio_net_hdr`, 10 octets). */

const vnetBytes = 10;
/** Where a frame begins in its buffer, so that the addresses of the packet behind it are aligned to words. */
export const frameStart = 2;
/** Where the packet begins. */
export const packetStart = frameStart + vnetBytes;
/** A buffer that holds any frame: segmentation offload hands over packets of up to 64 KiB. */
export const frameBufferBytes = packetStart + 0x10000;

/** VIRTIO_NET_HDR_F_NEEDS_CSUM: the transport checksum is only begun, with the sum of the pseudo-header. */
export function needsChecksum(buffer: Uint8Array): boolean {
  return (buffer[frameStart]! & 1) !== 0;
}

/** VIRTIO_NET_HDR_GSO_UDP_L4 */
const gsoUdp = 5;

/** Octets of each datagram's payload when the packet stands for several, else 0. */
export function datagramSegmentBytes(buffer: Uint8Array): number {
  if ((buffer[frameStart + 1]! & 0x7f) !== gsoUdp) return 0;
  return buffer[frameStart + 4]! | buffer[frameStart + 5]! << 8;
}

/** Makes the header say: one packet, as it is. */
export function clearVnet(buffer: Uint8Array): void {
  buffer.fill(0, frameStart, packetStart);
}

/**
 * Makes the header say: the checksum at `offset` behind `start` (octets from the packet's begin) holds the sum of the
 * pseudo-header; the kernel does the rest.
 */
export function askForChecksum(
  buffer: Uint8Array,
  { start, offset }: { start: number; offset: number },
): void {
  clearVnet(buffer);
  buffer[frameStart] = 1;
  buffer[frameStart + 6] = start & 0xff;
  buffer[frameStart + 7] = start >> 8;
  buffer[frameStart + 8] = offset & 0xff;
  buffer[frameStart + 9] = offset >> 8;
}

/** A frame in a buffer of its own, aligned as frames are. */
export function copyFrame(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const words = Math.ceil((frameStart + bytes.length) / 4);
  const copy = new Uint8Array(words * 4);
  copy.set(bytes, frameStart);
  return copy;
}
