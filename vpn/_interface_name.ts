/** Names of network interfaces, which the C library of every system tells alike. */
import { textOf } from "../libc/mod.ts";

export const interfaceCalls = {
  nameToIndex: {
    name: "if_nametoindex",
    parameters: ["buffer"],
    result: "u32",
  },
  indexToName: {
    name: "if_indextoname",
    parameters: ["u32", "buffer"],
    result: "pointer",
  },
} as const;

const nameBytes = 16; // IF_NAMESIZE

/** The name of an interface; `undefined` when there is none. */
export function interfaceName(
  index: number,
  { indexToName }: Deno.StaticForeignLibraryInterface<typeof interfaceCalls>,
): string | undefined {
  const name = new Uint8Array(nameBytes);
  return indexToName(index, name) === null ? undefined : textOf(name);
}
