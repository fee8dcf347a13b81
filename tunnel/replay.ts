import {
  capacityOf,
  type Chunk,
  giveChunk,
  largeChunkBytes,
  placeIn,
  runOf,
  smallChunkBytes,
  takeChunk,
  takeFrameChunk,
} from "./chunk.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import { Ring } from "./_ring.ts";

/** What every stream may keep, whatever the budget says. */
export const minKeptBytes = 16 * 1024;

/**
 * The bytes of one direction from the first that is not acknowledged to the last that was written: those that were
 * sent, in case they must be sent again, and those that wait for their turn. Nothing is held when all is acknowledged.
 *
 * A stream keeps at most half of what the budget has left besides its own, so who comes later gets less, nobody gets
 * less than {@link minKeptBytes}.
 */
export class Replay {
  readonly #budget: MemoryBudget;
  #chunks: Ring<Chunk> | undefined;
  #heldBytes = 0;
  /** Offsets of the first and after the last byte that is kept. */
  #from = 0;
  #to = 0;
  /** The chunk from which is sent next, by its place, where in it, and the offset of this byte. */
  #sendIndex = 0;
  #sendAt = 0;
  #sendOffset = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Offset of the first byte that is kept. */
  get from(): number {
    return this.#from;
  }

  /** Offset after the last byte that is kept. */
  get to(): number {
    return this.#to;
  }

  /** Offset of the next byte that {@link next} gives. */
  get sendOffset(): number {
    return this.#sendOffset;
  }

  /** Copies of the bytes `from` to `to` as many as there is room for. Returns how many. */
  push(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to) {
      let chunk = this.#chunks?.last();
      if (chunk === undefined || chunk.to === capacityOf(chunk)) {
        chunk = this.#addChunk(to - at);
        if (chunk === undefined) break;
      }
      const room = runOf(chunk, chunk.to, capacityOf(chunk));
      const count = Math.min(to - at, room);
      chunk.bytes.set(
        at === 0 && count === bytes.length
          ? bytes
          : bytes.subarray(at, at + count),
        placeIn(chunk, chunk.to),
      );
      chunk.to += count;
      at += count;
    }
    this.#to += at - from;
    return at - from;
  }

  /** The bytes that are sent next, if there are any: of this chunk, from {@link sendAt} on. */
  next(): Chunk | undefined {
    if (this.#sendOffset === this.#to) return undefined;
    const chunk = this.#chunks!.at(this.#sendIndex);
    if (this.#sendAt < chunk.to) return chunk;
    this.#sendIndex++;
    const next = this.#chunks!.at(this.#sendIndex);
    this.#sendAt = next.from;
    return next;
  }

  get sendAt(): number {
    return this.#sendAt;
  }

  /** `count` bytes of the chunk of {@link next} were sent. */
  sent(count: number): void {
    this.#sendAt += count;
    this.#sendOffset += count;
  }

  /** Forgets what is below `offset`, which was sent. */
  acknowledge(offset: number): void {
    let left = offset - this.#from;
    this.#from = offset;
    while (left > 0) {
      const chunk = this.#chunks!.peek()!;
      const count = Math.min(left, chunk.to - chunk.from);
      chunk.from += count;
      left -= count;
      if (chunk.from < chunk.to || chunk.to < capacityOf(chunk)) break;
      this.#dropFirst();
    }
    // A chunk that has room left is only given up when nothing is under way: it is about to be filled.
    if (this.#from === this.#to) {
      while (this.#heldBytes > 0) {
        this.#dropFirst();
      }
    }
  }

  /** Sends again from `offset` on, which is kept. */
  rewind(offset: number): void {
    this.#sendOffset = offset;
    this.#sendIndex = 0;
    let left = offset - this.#from;
    for (;; this.#sendIndex++) {
      if (this.#chunks === undefined || this.#chunks.length === 0) {
        this.#sendAt = 0;
        return;
      }
      const chunk = this.#chunks.at(this.#sendIndex);
      const count = chunk.to - chunk.from;
      if (left < count || this.#sendIndex === this.#chunks.length - 1) {
        this.#sendAt = chunk.from + left;
        return;
      }
      left -= count;
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#from = this.#sendOffset = this.#to;
    while (this.#heldBytes > 0) this.#dropFirst();
  }

  #addChunk(forBytes: number): Chunk | undefined {
    const chunk = this.#chunkFor(forBytes + this.#to - this.#from);
    if (chunk === undefined) return undefined;
    const size = chunk.bytes.length;
    this.#budget.take(size);
    this.#heldBytes += size;
    this.#chunks ??= new Ring();
    this.#chunks.push(chunk);
    if (this.#chunks.length === 1) {
      this.#sendIndex = 0;
      this.#sendAt = 0;
    }
    return chunk;
  }

  /** The more is kept, the larger. */
  #chunkFor(keptBytes: number): Chunk | undefined {
    if (keptBytes > largeChunkBytes && this.#mayTake(5 * largeChunkBytes)) {
      return takeFrameChunk();
    }
    if (keptBytes > smallChunkBytes && this.#mayTake(largeChunkBytes)) {
      return takeChunk(largeChunkBytes);
    }
    const isGuaranteed = this.#heldBytes + smallChunkBytes <= minKeptBytes;
    return isGuaranteed || this.#mayTake(smallChunkBytes)
      ? takeChunk(smallChunkBytes)
      : undefined;
  }

  #mayTake(size: number): boolean {
    return this.#heldBytes + size <= this.#budget.leftBytes;
  }

  #dropFirst(): void {
    const chunk = this.#chunks!.shift()!;
    const size = chunk.bytes.length;
    this.#heldBytes -= size;
    this.#budget.giveBack(size);
    giveChunk(chunk);
    if (this.#sendIndex > 0) this.#sendIndex--;
    else this.#sendAt = this.#chunks!.peek()?.from ?? 0;
  }
}
