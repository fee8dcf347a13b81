/** Buffers for bytes that wait, used again and again. */

export const smallChunkBytes = 4 * 1024;
export const largeChunkBytes = 64 * 1024;
/** Spare chunks that are kept; more are left to the garbage collector. */
const spareLimit = 128;
const spareSmall: Chunk[] = [];
const spareLarge: Chunk[] = [];

/** A piece of a queue: the bytes `from` to `to` are filled and not consumed. */
export interface Chunk {
  readonly bytes: Uint8Array;
  from: number;
  to: number;
}

/** An empty chunk: small for up to 4 KiB, else large. */
export function takeChunk(forBytes: number): Chunk {
  const small = forBytes <= smallChunkBytes;
  const spare = small ? spareSmall : spareLarge;
  return spare.pop() ??
    {
      bytes: new Uint8Array(small ? smallChunkBytes : largeChunkBytes),
      from: 0,
      to: 0,
    };
}

/** Ends the use of `chunk`; nobody may hold it or its bytes. */
export function giveChunk(chunk: Chunk): void {
  const spare = chunk.bytes.length === smallChunkBytes
    ? spareSmall
    : spareLarge;
  if (spare.length >= spareLimit) return;
  chunk.from = chunk.to = 0;
  spare.push(chunk);
}
