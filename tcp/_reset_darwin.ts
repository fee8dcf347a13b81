/**
 * On macOS, which takes no socket back, a TCP connection is reset by the last descriptor's close while nothing may linger
 * (SO_LINGER): another socket takes the descriptor's place (dup2(2)), so that its owner may still close it.
 */
import { libcPath } from "../libc/mod.ts";

const { symbols } = Deno.dlopen(libcPath, {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

const unixFamily = 1; // AF_UNIX
const stream = 1; // SOCK_STREAM
/** SOL_SOCKET and SO_LINGER. */
const lingering = { level: 0xffff, option: 0x80 };

/**
 * Whether it was done.
 *
 * @param numbers Of another system that does the same, for a test.
 */
export function resetDarwin(
  fd: number,
  { level, option } = lingering,
): boolean {
  const { socket, setsockopt, dup2, close } = symbols;
  const linger = new Uint8Array(Int32Array.of(1, 0).buffer); // struct linger: on, for no time
  if (setsockopt(fd, level, option, linger, linger.length) < 0) return false;
  const other = socket(unixFamily, stream, 0);
  if (other < 0) return false;
  const isDone = dup2(other, fd) === fd;
  close(other);
  return isDone;
}
