/**
 * Breaks a TCP connection off with a reset. `Deno.Conn` neither does that nor tells its descriptor, so:
 *
 * 1. The descriptors of this process are asked for their two addresses: first the one that was last seen with the
 *    port, then all in a circle from the one that was found last. Connections tend to break in crowds.
 * 2. Whose addresses are those of the connection is its descriptor.
 * 3. The socket is connected to nothing, and that resets it (connect(2), AF_UNSPEC). `SO_LINGER` would not do:
 *    `Deno.Conn.close()` shuts the connection down in order before it closes.
 */
import { Ip } from "../net/mod.ts";

const afUnspec = 0;
const afInet = 2;
const afInet6 = 10;
const sockaddrOctets = 28;
/** Descriptors are given from the lowest free one on; after so many unused ones there are no more. */
const maxGap = 256;

const { symbols } = Deno.dlopen("libc.so.6", {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
});

/** The descriptor that had a port of this host when it was last looked at; zero where none was seen. */
const lastSeen = new Int32Array(65_536);
/** The descriptor that was found last. */
let lastFound = 0;

/**
 * Resets `conn`, which stays to be closed.
 *
 * @returns false when its descriptor was not found, and nothing was done.
 */
export function resetTcp(conn: Deno.TcpConn): boolean {
  const fd = findDescriptor(conn);
  if (fd === undefined) return false;
  lastFound = fd;
  const nothing = new Uint8Array(sockaddrOctets);
  nothing[0] = afUnspec;
  return symbols.connect(fd, nothing, nothing.length) === 0;
}

function findDescriptor(conn: Deno.TcpConn): number | undefined {
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
  { localAddr, remoteAddr }: Deno.TcpConn,
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
const addressFamily = new Uint16Array(address.buffer, 0, 1);
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
  const octets = addressFamily[0] === afInet
    ? address.subarray(4, 8)
    : addressFamily[0] === afInet6
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
