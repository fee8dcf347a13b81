import { libcPath } from "../libc/mod.ts";

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

const netlinkFamily = 16; // AF_NETLINK
const raw = 3 | 0x80000; // SOCK_RAW | SOCK_CLOEXEC
/** RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE */
const groups = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400;

/**
 * A socket on which the kernel tells of links, addresses, routes, rules (rtnetlink(7)). Every user may listen; negative
 * where the kernel lets nobody, as in some sandboxes.
 */
export function openLinuxChanges(): number {
  const library = Deno.dlopen(libcPath, calls);
  const { socket, bind, close } = library.symbols;
  try {
    const fd = socket(netlinkFamily, raw, 0);
    const address = new Uint8Array(12); // struct sockaddr_nl: family, pad, process, groups
    const view = new DataView(address.buffer);
    view.setUint16(0, netlinkFamily, true);
    view.setUint32(8, groups, true);
    if (fd < 0 || bind(fd, address, address.length) === 0) return fd;
    close(fd);
    return -1;
  } finally {
    library.close();
  }
}
