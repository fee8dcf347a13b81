import { readU16, writeU16 } from "./_bytes.ts";
import { type Chunk, giveChunk, takeChunk } from "./chunk.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { Ring } from "./_ring.ts";

const lengthBytes = 2;

/** Memory for waiting datagrams that all streams of a session share, and the count of those that found none. */
export class DatagramBudget extends MemoryBudget {
  /** Datagrams dropped in either direction. */
  dropped = 0;
}

/** Datagrams that wait, within a bound. Each stands behind its length (2 bytes) in a chunk. */
export class DatagramQueue {
  readonly #limitBytes: number;
  readonly #budget: DatagramBudget;
  #chunks: Ring<Chunk> | undefined;
  #heldBytes = 0;

  constructor(limitBytes: number, budget: DatagramBudget) {
    this.#limitBytes = limitBytes;
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#heldBytes === 0;
  }

  /** Length of the first datagram; there must be one. */
  get nextLength(): number {
    const chunk = this.#chunks!.peek()!;
    return readU16(chunk.bytes, chunk.from);
  }

  /** Copies the datagram `from` to `to` of `bytes`. False, and counted, when there is no room. */
  push(bytes: Uint8Array, from: number, to: number): boolean {
    const needed = lengthBytes + to - from;
    const chunk = this.#lastWithRoom(needed) ?? this.#addChunk(needed);
    if (chunk === undefined) {
      this.#budget.dropped++;
      return false;
    }
    writeU16(chunk.bytes, chunk.to, to - from);
    chunk.bytes.set(bytes.subarray(from, to), chunk.to + lengthBytes);
    chunk.to += needed;
    return true;
  }

  /** Takes the first datagram out and copies what fits of it into `into` from `at` on. Returns how many bytes. */
  shiftInto(into: Uint8Array, at: number): number {
    const chunk = this.#chunks!.peek()!;
    const length = readU16(chunk.bytes, chunk.from);
    const from = chunk.from + lengthBytes;
    const count = Math.min(length, into.length - at);
    into.set(chunk.bytes.subarray(from, from + count), at);
    chunk.from = from + length;
    if (chunk.from === chunk.to) this.#dropChunk();
    return count;
  }

  /** Drops all that waits. */
  clear(): void {
    while (!this.isEmpty) this.#dropChunk();
  }

  #lastWithRoom(needed: number): Chunk | undefined {
    const chunk = this.#chunks?.last();
    return chunk && chunk.bytes.length - chunk.to >= needed ? chunk : undefined;
  }

  #addChunk(needed: number): Chunk | undefined {
    const chunk = takeChunk(needed);
    const size = chunk.bytes.length;
    if (
      this.#heldBytes + size > this.#limitBytes || size > this.#budget.leftBytes
    ) {
      giveChunk(chunk);
      return undefined;
    }
    this.#heldBytes += size;
    this.#budget.take(size);
    this.#chunks ??= new Ring();
    this.#chunks.push(chunk);
    return chunk;
  }

  #dropChunk(): void {
    const chunk = this.#chunks!.shift()!;
    this.#heldBytes -= chunk.bytes.length;
    this.#budget.giveBack(chunk.bytes.length);
    giveChunk(chunk);
  }
}
