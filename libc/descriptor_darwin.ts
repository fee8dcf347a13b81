/**
 * Descriptors of macOS.
 *
 * On Apple's arm64 the arguments that a declaration leaves open (`...`) are on the stack, where all others are in eight
 * registers: such a call is told with registers that nobody reads in between.
 */

export const isOpenOnStack = Deno.build.arch === "aarch64";

/** Fill the registers behind the two arguments that `fcntl` and `ioctl` declare. */
export const unreadTypes = [
  ...["usize", "usize", "usize"] as const,
  ...["usize", "usize", "usize"] as const,
] as const;
export const unread = [0n, 0n, 0n, 0n, 0n, 0n] as const;

/** For {@link closeOnExec}. */
export const descriptorCalls = {
  fcntl: { parameters: ["i32", "i32", "usize"], result: "i32" },
  fcntlOnStack: {
    name: "fcntl",
    parameters: ["i32", "i32", ...unreadTypes, "usize"],
    result: "i32",
  },
} as const;

type DescriptorCalls = Deno.StaticForeignLibraryInterface<
  typeof descriptorCalls
>;

const setDescriptorFlags = 2; // F_SETFD
const closing = 1n; // FD_CLOEXEC

/** No child of this process shall have the descriptor. */
export function closeOnExec(call: DescriptorCalls, fd: number): void {
  if (isOpenOnStack) {
    call.fcntlOnStack(fd, setDescriptorFlags, ...unread, closing);
  } else call.fcntl(fd, setDescriptorFlags, closing);
}
