/** Buffers for bytes that wait, used again and again. */
import { dataHeadBytes, headerBytes, maxDataBytes } from "./frame.ts";

export const smallChunkBytes = 4 * 1024;
export const largeChunkBytes = 64 * 1024;
/** Bytes of payload in a chunk of frames. */
export const frameChunkBytes = 4 * maxDataBytes;
/** What stands before each payload of {@link maxDataBytes} in it. */
export const frameHeadBytes = headerBytes + dataHeadBytes;
/** Behind the last payload: room for a PING. */
export const frameTailBytes = headerBytes + 8;
/** Spare chunks that are kept; more are left to the garbage collector. */
const spareLimit = 128;
const spareFrameLimit = 24;
const spareSmall: Chunk[] = [];
const spareLarge: Chunk[] = [];
const spareFrames: Chunk[] = [];

/**
 * A piece of a queue: the bytes `from` to `to` are filled and not consumed. In a chunk of frames these count payload
 * alone; its bytes are whole frames, with room for their heads, that can go to a carrier as they are.
 */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly hasFrames: boolean;
  from: number;
  to: number;
  /** Carriers that are being given these bytes. */
  writers: number;
  /** Its use has ended, but for {@link writers}. */
  isGiven: boolean;
}

/** An empty chunk: small for up to 4 KiB, else large. */
export function takeChunk(forBytes: number): Chunk {
  return forBytes <= smallChunkBytes
    ? spareSmall.pop() ?? chunkOf(smallChunkBytes, false)
    : spareLarge.pop() ?? chunkOf(largeChunkBytes, false);
}

/** An empty chunk of frames. */
export function takeFrameChunk(): Chunk {
  const frames = frameChunkBytes / maxDataBytes;
  return spareFrames.pop() ??
    chunkOf(frameChunkBytes + frames * frameHeadBytes + frameTailBytes, true);
}

/** Ends the use of `chunk`; nobody may hold it or its bytes. */
export function giveChunk(chunk: Chunk): void {
  chunk.isGiven = true;
  if (chunk.writers > 0) return;
  const spare = chunk.hasFrames
    ? spareFrames
    : chunk.bytes.length === smallChunkBytes
    ? spareSmall
    : spareLarge;
  if (spare.length >= (chunk.hasFrames ? spareFrameLimit : spareLimit)) return;
  chunk.from = chunk.to = 0;
  chunk.isGiven = false;
  spare.push(chunk);
}

/** A carrier has taken the bytes of `chunk`. */
export function endWriting(chunk: Chunk): void {
  chunk.writers--;
  if (chunk.isGiven) giveChunk(chunk);
}

/** Bytes that `chunk` can hold. */
export function capacityOf(chunk: Chunk): number {
  return chunk.hasFrames ? frameChunkBytes : chunk.bytes.length;
}

/** Where the byte `at` of `chunk` stands. */
export function placeIn(chunk: Chunk, at: number): number {
  if (!chunk.hasFrames) return at;
  return at + frameHeadBytes * (Math.floor(at / maxDataBytes) + 1);
}

/** How many of the bytes `from` to `to` of `chunk` stand behind each other. */
export function runOf(chunk: Chunk, from: number, to: number): number {
  return chunk.hasFrames
    ? Math.min(to - from, maxDataBytes - from % maxDataBytes)
    : to - from;
}

function chunkOf(bytes: number, hasFrames: boolean): Chunk {
  return {
    bytes: new Uint8Array(bytes),
    hasFrames,
    from: 0,
    to: 0,
    writers: 0,
    isGiven: false,
  };
}
