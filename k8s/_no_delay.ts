/**
 * TCP_NODELAY for a TLS connection of the runtime, which offers no way to set it: without it a small write waits for the
 * acknowledgement of the one before, up to 40 ms.
 *
 * A directory of the system tells which descriptors there are, `getsockname` which of them has the connection's own
 * address.
 */
import { libcPath } from "../libc/mod.ts";
import { Ip } from "../net/mod.ts";

// Values of <sys/socket.h> and <netinet/tcp.h>, equal on Linux and macOS, x86-64 and arm64.
const ipProtoTcp = 6;
const tcpNoDelay = 1;
const afInet = 2;

/** What of a socket differs between the systems. */
interface SocketForm {
  /** Has an entry for each descriptor of this process. */
  readonly descriptors: string;
  readonly afInet6: number;
  /** Where the family stands in an address; macOS has its length before. */
  readonly familyAt: number;
}

/** None for other systems. */
export const socketForms: Partial<Record<string, SocketForm>> = {
  linux: { descriptors: "/proc/self/fd", afInet6: 10, familyAt: 0 },
  darwin: { descriptors: "/dev/fd", afInet6: 30, familyAt: 1 },
};

const symbols = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
} as const;

/** Sends small writes at once from now on. Returns false where that cannot be done: all works then, but slower. */
export function setNoDelay(
  { hostname, port }: Pick<Deno.NetAddr, "hostname" | "port">,
): boolean {
  const form = socketForms[Deno.build.os];
  if (form === undefined) return false;
  let libc: Deno.DynamicLibrary<typeof symbols> | undefined;
  try {
    libc = Deno.dlopen(libcPath, symbols);
    const fd = findSocket(libc, { ip: Ip.parse(hostname), port, form });
    const on = new Uint32Array([1]);
    return fd !== undefined &&
      libc.symbols.setsockopt(fd, ipProtoTcp, tcpNoDelay, on, 4) === 0;
  } catch {
    return false;
  } finally {
    libc?.close();
  }
}

function findSocket(
  { symbols: { getsockname } }: Deno.DynamicLibrary<typeof symbols>,
  wanted: { ip: Ip; port: number; form: SocketForm },
): number | undefined {
  const { form } = wanted;
  for (const { name } of Deno.readDirSync(form.descriptors)) {
    const address = new Uint8Array(28);
    const length = new Uint32Array([address.length]);
    if (getsockname(Number(name), address, length) !== 0) continue;
    const found = decodeSocketAddress(address, form);
    if (found?.port === wanted.port && found.ip.equals(wanted.ip)) {
      return Number(name);
    }
  }
  return undefined;
}

/** Takes a `struct sockaddr_in` or `sockaddr_in6` apart; `undefined` for other families. */
export function decodeSocketAddress(
  bytes: Uint8Array,
  { familyAt, afInet6 }: SocketForm,
): { ip: Ip; port: number } | undefined {
  const family = bytes[familyAt];
  const port = bytes[2]! << 8 | bytes[3]!;
  if (family === afInet) return { ip: Ip.of(bytes.subarray(4, 8)), port };
  if (family === afInet6) return { ip: Ip.of(bytes.subarray(8, 24)), port };
  return undefined;
}
