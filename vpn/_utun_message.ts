/** What macOS is told to make a utun device (sys/kern_control.h) and to give it addresses (netintro(4)). */
import type { Ip } from "../net/mod.ts";

/** Requests of ioctl(2): direction, size of what is pointed to, group, number. */
export const requests = {
  controlInfo: 0xc0644e03, // CTLIOCGINFO
  getFlags: 0xc0206911, // SIOCGIFFLAGS
  setFlags: 0x80206910, // SIOCSIFFLAGS
  setMtu: 0x80206934, // SIOCSIFMTU
  addAddress: { 4: 0x8040691a, 6: 0x8080691a }, // SIOCAIFADDR, SIOCAIFADDR_IN6
  deleteAddress: { 4: 0x80206919, 6: 0x81206919 }, // SIOCDIFADDR, SIOCDIFADDR_IN6
} as const;

export const families = { 4: 2, 6: 30 } as const; // AF_INET, AF_INET6
export const systemFamily = 32; // PF_SYSTEM
export const datagrams = 2; // SOCK_DGRAM
export const controlProtocol = 2; // SYSPROTO_CONTROL
export const nameOption = 2; // UTUN_OPT_IFNAME
const controlAddress = 2; // AF_SYS_CONTROL
const controlName = "com.apple.net.utun_control";
const nameBytes = 16; // IFNAMSIZ
const up = 1; // IFF_UP
/** Nobody else has the address: there is nobody else on the device. */
const noDuplicateSearch = 0x20; // IN6_IFF_NODAD
const forever = 0xffffffff; // ND6_INFINITE_LIFETIME

/** struct ctl_info: the identifier, which the kernel fills in, and the name of the control. */
export function controlInfo(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(100);
  putText(bytes, 4, controlName);
  return bytes;
}

/** struct sockaddr_ctl with the identifier that {@link controlInfo} came back with. Unit 0: the next free device. */
export function controlSocketAddress(
  info: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  bytes.set([bytes.length, systemFamily, controlAddress, 0]);
  bytes.set(info.subarray(0, 4), 4);
  return bytes;
}

/** struct ifreq for {@link requests.setMtu}. */
export function mtuRequest(name: string, mtu: number): Uint8Array<ArrayBuffer> {
  const bytes = namedRequest(name, 32);
  new DataView(bytes.buffer).setInt32(nameBytes, mtu, true);
  return bytes;
}

/** struct ifreq for {@link requests.getFlags}. */
export function flagsRequest(name: string): Uint8Array<ArrayBuffer> {
  return namedRequest(name, 32);
}

/** The same, as the kernel filled it in, for {@link requests.setFlags}. */
export function withUp(request: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(request);
  bytes[nameBytes]! |= up;
  return bytes;
}

/** struct ifaliasreq or in6_aliasreq: our end of the device and the other, each a network of one. */
export function addAddressRequest(
  name: string,
  { laptop, peer }: { laptop: Ip; peer: Ip },
): Uint8Array<ArrayBuffer> {
  const { family } = laptop;
  const mask = Uint8Array.from(laptop.bytes, () => 0xff);
  const addresses = [laptop.bytes, peer.bytes, mask];
  const bytes = namedRequest(name, family === 4 ? 64 : 128);
  addresses.forEach((address, i) => {
    const one = socketAddress(address);
    bytes.set(one, nameBytes + i * one.length);
  });
  if (family === 6) {
    const view = new DataView(bytes.buffer);
    view.setUint32(100, noDuplicateSearch, true);
    view.setUint32(120, forever, true); // valid
    view.setUint32(124, forever, true); // preferred
  }
  return bytes;
}

/** struct ifreq or in6_ifreq. */
export function deleteAddressRequest(
  name: string,
  ip: Ip,
): Uint8Array<ArrayBuffer> {
  const bytes = namedRequest(name, ip.family === 4 ? 32 : 288);
  bytes.set(socketAddress(ip.bytes), nameBytes);
  return bytes;
}

/** struct sockaddr_in or sockaddr_in6 without port: length, family, then the address. */
export function socketAddress(address: Uint8Array): Uint8Array<ArrayBuffer> {
  const isV4 = address.length === 4;
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  bytes.set([bytes.length, families[isV4 ? 4 : 6]]);
  bytes.set(address, isV4 ? 4 : 8);
  return bytes;
}

function namedRequest(name: string, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  putText(bytes, 0, name);
  return bytes;
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}
