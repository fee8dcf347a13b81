/** Buffers that hold a packet of any size; those that are given back are used again. */
import { packetStart } from "./frame.ts";

const bufferBytes = packetStart + 40 + 0xffff + 1;

/** Buffers that wait for reuse; more are left to the garbage collector. */
const spareLimit = 64;
const spare: Uint8Array<ArrayBuffer>[] = [];

export function takeAnswerBuffer(): Uint8Array<ArrayBuffer> {
  return spare.pop() ?? new Uint8Array(bufferBytes);
}

export function giveAnswerBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  if (spare.length < spareLimit) spare.push(buffer);
}
