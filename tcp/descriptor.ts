/**
 * The descriptor of a TCP connection, which `Deno.Conn` does not tell:
 *
 * 1. The descriptors of this process are asked for their two addresses: first the one that was last seen with the
 *    port, then all in a circle from the one that was found last. Connections tend to break in crowds.
 * 2. Whose addresses are those of the connection is its descriptor.
 */
import { libcPath } from "../libc/mod.ts";
import { Ip } from "../net/mod.ts";
import { families, familyAt, sockaddrOctets } from "./_abi.ts";

/** Descriptors are given from the lowest free one on; after so many unused ones there are no more. */
const maxGap = 256;

const { symbols } = Deno.dlopen(libcPath, {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
});

/** The descriptor that had a port of this host when it was last looked at; zero where none was seen. */
const lastSeen = new Int32Array(65_536);
/** The descriptor that was found last. */
let lastFound = 0;

/** A connection of the system, by its two addresses. */
export type TcpAddresses = Pick<Deno.TcpConn, "localAddr" | "remoteAddr">;

/** The descriptor of an open connection; `undefined` when it was not found. */
export function findDescriptor(conn: TcpAddresses): number | undefined {
  const fd = search(conn);
  if (fd !== undefined) lastFound = fd;
  return fd;
}

function search(conn: TcpAddresses): number | undefined {
  const seen = lastSeen[conn.localAddr.port]!;
  if (lookAt(seen, conn) === "it") return seen;
  const begin = lastFound;
  for (let fd = begin, gap = 0; gap < maxGap; fd++) {
    const look = lookAt(fd, conn);
    if (look === "it") return fd;
    gap = look === "no socket" ? gap + 1 : 0;
  }
  for (let fd = 0; fd < begin; fd++) if (lookAt(fd, conn) === "it") return fd;
  return undefined;
}

/** Whether `fd` is the connection's, another socket's or none's. */
function lookAt(
  fd: number,
  { localAddr, remoteAddr }: TcpAddresses,
): "it" | "other" | "no socket" {
  if (!readAddress(symbols.getsockname, fd)) return "no socket";
  const port = addressView.getUint16(2);
  lastSeen[port] = fd;
  // The port comes first: it alone tells nearly all apart.
  const isIt = port === localAddr.port && isRead(localAddr) &&
    readAddress(symbols.getpeername, fd) && isRead(remoteAddr);
  return isIt ? "it" : "other";
}

type ReadAddress = (
  fd: number,
  address: Uint8Array<ArrayBuffer>,
  length: Uint8Array<ArrayBuffer>,
) => number;

const address = new Uint8Array(sockaddrOctets);
const addressView = new DataView(address.buffer);
const addressLength = new Uint32Array(1);
const addressLengthOctets = new Uint8Array(addressLength.buffer);

/** Reads into {@link address}. False when `fd` has no such address. */
function readAddress(read: ReadAddress, fd: number): boolean {
  addressLength[0] = sockaddrOctets;
  return read(fd, address, addressLengthOctets) === 0;
}

/** Whether what was read is `addr`. */
function isRead({ hostname, port }: Deno.NetAddr): boolean {
  if (addressView.getUint16(2) !== port) return false;
  const family = address[familyAt];
  const octets = family === families[4]
    ? address.subarray(4, 8)
    : family === families[6]
    ? address.subarray(8, 24)
    : undefined;
  return octets !== undefined &&
    withoutDress(Ip.of(octets)).equals(withoutDress(Ip.parse(hostname)));
}

/** An IPv4 address in IPv6 dress (RFC 4291 section 2.5.5.2) as what it is: the two sides may differ in the dress. */
function withoutDress(ip: Ip): Ip {
  const isDressed = ip.family === 6 && ip.toBigInt() >> 32n === 0xffffn;
  return isDressed ? Ip.of(ip.bytes.subarray(12)) : ip;
}
