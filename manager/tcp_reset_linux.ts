/**
 * Breaks a TCP connection off with a reset. `Deno.Conn` neither does that nor tells its descriptor, so:
 *
 * 1. The descriptors of this process are walked, and each one's two addresses read. What is found is remembered, as
 *    many connections tend to break at once.
 * 2. What is remembered counts only if the descriptor still has both addresses.
 * 3. The socket is connected to nothing, and that resets it (connect(2), AF_UNSPEC). `SO_LINGER` would not do:
 *    `Deno.Conn.close()` shuts the connection down in order before it closes.
 */
import { Ip } from "../net/mod.ts";

const afUnspec = 0;
const afInet = 2;
const afInet6 = 10;
const sockaddrOctets = 28;

const libc = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const;

const { symbols } = Deno.dlopen("libc.so.6", libc);
const descriptors = new Map<string, number>();

/**
 * Resets `conn`, which stays to be closed.
 *
 * @returns false when its descriptor was not found, and nothing was done.
 */
export function resetTcp(conn: Deno.TcpConn): boolean {
  const key = keyOf(
    { ip: Ip.parse(conn.localAddr.hostname), port: conn.localAddr.port },
    { ip: Ip.parse(conn.remoteAddr.hostname), port: conn.remoteAddr.port },
  );
  let fd = descriptors.get(key);
  if (fd === undefined || keyOfDescriptor(fd) !== key) {
    rememberAll();
    fd = descriptors.get(key);
  }
  descriptors.delete(key);
  if (fd === undefined) return false;
  const nothing = new Uint8Array(sockaddrOctets);
  nothing[0] = afUnspec;
  return symbols.connect(fd, nothing, nothing.length) === 0;
}

function rememberAll(): void {
  descriptors.clear();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const key = keyOfDescriptor(Number(name));
    if (key !== undefined) descriptors.set(key, Number(name));
  }
}

interface Endpoint {
  ip: Ip;
  port: number;
}

function keyOf(local: Endpoint, peer: Endpoint): string {
  return `${plain(local.ip)} ${local.port} ${plain(peer.ip)} ${peer.port}`;
}

/** `undefined` unless `fd` is a connected socket of IP. */
function keyOfDescriptor(fd: number): string | undefined {
  const local = readAddress(symbols.getsockname, fd);
  const peer = local && readAddress(symbols.getpeername, fd);
  return peer && keyOf(local, peer);
}

function readAddress(
  read: (
    fd: number,
    address: Uint8Array<ArrayBuffer>,
    length: Uint8Array<ArrayBuffer>,
  ) => number,
  fd: number,
): Endpoint | undefined {
  const address = new Uint8Array(sockaddrOctets);
  const length = new Uint32Array([sockaddrOctets]);
  if (read(fd, address, new Uint8Array(length.buffer)) !== 0) return undefined;
  const view = new DataView(address.buffer);
  const family = new Uint16Array(address.buffer, 0, 1)[0];
  const port = view.getUint16(2);
  if (family === afInet) return { ip: Ip.of(address.subarray(4, 8)), port };
  if (family === afInet6) return { ip: Ip.of(address.subarray(8, 24)), port };
  return undefined;
}

/** An IPv4 address in IPv6 dress (RFC 4291 section 2.5.5.2) as what it is: the two sides may differ in the dress. */
function plain(ip: Ip): string {
  const mapped = ip.family === 6 && ip.toBigInt() >> 32n === 0xffffn;
  return String(mapped ? Ip.of(ip.bytes.subarray(12)) : ip);
}
