/** What macOS tells under names of numbers (sysctl(3)). */

export const sysctlCalls = {
  sysctl: {
    parameters: ["buffer", "u32", "buffer", "buffer", "pointer", "usize"],
    result: "i32",
  },
} as const;

/** What the kernel tells in at most `room` octets; `undefined` when it does not, and errno says why. */
export function askSysctl(
  name: readonly number[],
  room: number,
  { sysctl }: Deno.StaticForeignLibraryInterface<typeof sysctlCalls>,
): Uint8Array<ArrayBuffer> | undefined {
  const path = new Uint8Array(Int32Array.from(name).buffer);
  const into = new Uint8Array(room);
  const length = new BigUint64Array([BigInt(room)]);
  const result = sysctl(
    ...[path, name.length, into] as const,
    ...[new Uint8Array(length.buffer), null, 0n] as const,
  );
  return result === 0 ? into.subarray(0, Number(length[0])) : undefined;
}
