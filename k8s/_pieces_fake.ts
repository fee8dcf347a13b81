import { type Conn, ConnResetError } from "../net/mod.ts";

/** What arrives as `pieces`, one per read where there is room; then the end, or a reset. Collects what is written. */
export function piecesConn(
  pieces: Uint8Array[],
  { then = "end" }: { then?: "end" | "reset" } = {},
): Conn & { written: Uint8Array[] } {
  const left = pieces.filter(({ length }) => length > 0);
  const written: Uint8Array[] = [];
  return {
    written,
    read(into) {
      const head = left[0];
      if (head === undefined) {
        return then === "end"
          ? Promise.resolve(null)
          : Promise.reject(new ConnResetError("reset"));
      }
      const count = Math.min(head.length, into.length);
      into.set(head.subarray(0, count));
      if (count === head.length) left.shift();
      else left[0] = head.subarray(count);
      return Promise.resolve(count);
    },
    write(bytes) {
      written.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
    closeWrite: () => Promise.resolve(),
    close() {},
    reset() {},
  };
}

/** `bytes` cut at `cuts`, in any order and number. */
export function cutAt(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
    .sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

/** All parts one after the other. */
export function joined(...parts: (Uint8Array | number[])[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
