/** On Linux a TCP connection is reset when its socket is connected to nothing (connect(2), AF_UNSPEC). */
import { libcPath } from "../libc/mod.ts";
import { sockaddrOctets } from "./_abi.ts";

const afUnspec = 0;

const { symbols } = Deno.dlopen(libcPath, {
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
});

/** Whether it was done. */
export function resetLinux(fd: number): boolean {
  const nothing = new Uint8Array(sockaddrOctets);
  nothing[0] = afUnspec;
  return symbols.connect(fd, nothing, nothing.length) === 0;
}
