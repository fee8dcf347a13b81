/**
 * Messages of macOS's routing socket (route(4), net/route.h): a header of fixed size, then those socket addresses that it
 * says are there, each filled up to a multiple of four octets.
 */
import { Ip, Subnet } from "../net/mod.ts";
import { families, socketAddress } from "./_utun_message.ts";

const headerBytes = 92; // struct rt_msghdr
const version = 5; // RTM_VERSION
export const messageTypes = { add: 1, delete: 2, get: 4 } as const;
const linkFamily = 18; // AF_LINK
/** Where an address stands in the socket address of its family. */
const addressAt = { 4: 4, 6: 8 } as const;

const has = { destination: 1, gateway: 2, netmask: 4 } as const;
const flagsOf = {
  up: 0x1,
  gateway: 0x2,
  host: 0x4,
  reject: 0x8,
  linkLayer: 0x400,
  static: 0x800,
  blackhole: 0x1000,
  cloned: 0x20000,
  local: 0x200000,
  broadcast: 0x400000,
  multicast: 0x800000,
  scoped: 0x1000000,
} as const;

/**
 * Entries that say how to reach a neighbour, the host itself or many at once, and those that count for who asks for one
 * interface only.
 */
const notRoutes = flagsOf.linkLayer | flagsOf.cloned | flagsOf.local |
  flagsOf.broadcast | flagsOf.multicast | flagsOf.scoped;

/** What {@link encodeRouteMessage} changes: a route through a device, or one that says "unreachable". */
export interface RouteChange {
  readonly type: typeof messageTypes[keyof typeof messageTypes];
  readonly subnet: Subnet;
  /** Of the device; without it packets are refused. */
  readonly index?: number;
  readonly sequence: number;
}

/** A route as the kernel has it. */
export interface KernelRoute {
  readonly subnet: Subnet;
  readonly index: number;
  readonly gateway?: Ip;
  /** Packets are refused. */
  readonly isReject: boolean;
}

export function encodeRouteMessage(
  { type, subnet, index, sequence }: RouteChange,
): Uint8Array<ArrayBuffer> {
  const isHost = subnet.prefix === subnet.base.bits;
  const loopback = Ip.parse(subnet.family === 4 ? "127.0.0.1" : "::1");
  const addresses = [
    socketAddress(subnet.base.bytes),
    index === undefined ? socketAddress(loopback.bytes) : linkAddress(index),
    ...isHost ? [] : [socketAddress(maskOf(subnet))],
  ];
  const length = addresses.reduce((sum, one) => sum + one.length, headerBytes);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, length, true);
  bytes.set([version, type], 2);
  view.setUint16(4, index ?? 0, true);
  view.setUint32(
    8,
    flagsOf.up | flagsOf.static | (isHost ? flagsOf.host : 0) |
      (index === undefined ? flagsOf.reject | flagsOf.gateway : 0),
    true,
  );
  const present = has.destination | has.gateway | (isHost ? 0 : has.netmask);
  view.setUint32(12, present, true);
  view.setInt32(20, sequence, true);
  let at = headerBytes;
  for (const one of addresses) {
    bytes.set(one, at);
    at += one.length;
  }
  return bytes;
}

/** Reads the routes of a dump (`NET_RT_DUMP`). Those that are none for all traffic are left out. */
export function decodeRoutes(bytes: Uint8Array): KernelRoute[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const routes: KernelRoute[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    if (bytes[at + 2] === version && length >= headerBytes) {
      const route = decodeRoute(bytes.subarray(at, at + length));
      if (route) routes.push(route);
    }
    at += length;
  }
  return routes;
}

function decodeRoute(message: Uint8Array): KernelRoute | undefined {
  const view = new DataView(message.buffer, message.byteOffset);
  const flags = view.getUint32(8, true);
  if (!(flags & flagsOf.up) || flags & notRoutes) return undefined;
  const present = view.getUint32(12, true);
  const addresses = new Map<number, Uint8Array>();
  let at = headerBytes;
  for (let bit = 1; bit <= has.netmask; bit <<= 1) {
    if (!(present & bit) || at >= message.length) continue;
    const octets = message[at]!;
    addresses.set(bit, message.subarray(at, at + octets));
    at += octets === 0 ? 4 : octets + 3 & ~3;
  }
  const destination = ipIn(addresses.get(has.destination));
  if (destination === undefined) return undefined;
  const { family } = destination;
  const prefix = flags & flagsOf.host
    ? destination.bits
    : prefixOf(addresses.get(has.netmask), family);
  const gateway = flags & flagsOf.gateway
    ? ipIn(addresses.get(has.gateway))
    : undefined;
  return {
    subnet: new Subnet(destination, prefix),
    index: view.getUint16(4, true),
    isReject: (flags & (flagsOf.reject | flagsOf.blackhole)) !== 0,
    ...gateway ? { gateway } : {},
  };
}

/** The kernel keeps the index of the interface inside of an address that is of a link alone. */
function ipIn(address: Uint8Array | undefined): Ip | undefined {
  const family = ([4, 6] as const).find((one) =>
    families[one] === address?.[1]
  );
  if (family === undefined) return undefined;
  const octets = new Uint8Array(family === 4 ? 4 : 16);
  octets.set(
    address!.subarray(addressAt[family]).subarray(0, octets.length),
  );
  const isOfLink = family === 6 &&
    (octets[0] === 0xfe && (octets[1]! & 0xc0) === 0x80 ||
      octets[0] === 0xff && (octets[1]! & 0xf) <= 2);
  if (isOfLink) octets.fill(0, 2, 4);
  return Ip.of(octets);
}

/** A mask is as long as its last octet that is not zero; what stands before the address means nothing. */
function prefixOf(mask: Uint8Array | undefined, family: 4 | 6): number {
  const octets = [...mask?.subarray(addressAt[family]) ?? []];
  const ones = octets.reduce(
    (sum, octet) => sum + octet.toString(2).replaceAll("0", "").length,
    0,
  );
  return Math.min(ones, family === 4 ? 32 : 128);
}

function maskOf(subnet: Subnet): Uint8Array {
  const bits = BigInt(subnet.base.bits);
  const free = bits - BigInt(subnet.prefix);
  const all = (1n << bits) - 1n;
  return Ip.fromBigInt(all >> free << free, subnet.family).bytes;
}

/** struct sockaddr_dl of an interface: length, family, index. */
function linkAddress(index: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(20);
  bytes.set([bytes.length, linkFamily]);
  new DataView(bytes.buffer).setUint16(2, index, true);
  return bytes;
}
