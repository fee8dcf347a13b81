import { libcPath } from "../libc/mod.ts";

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const;

const routeFamily = 17; // PF_ROUTE
const raw = 3; // SOCK_RAW

/**
 * The routing socket, on which the kernel tells of links, addresses and routes (route(4)). Every user may listen; negative
 * where the kernel lets nobody, as in some sandboxes.
 */
export function openDarwinChanges(): number {
  const library = Deno.dlopen(libcPath, calls);
  try {
    return library.symbols.socket(routeFamily, raw, 0);
  } finally {
    library.close();
  }
}
