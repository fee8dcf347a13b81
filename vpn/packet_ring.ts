/**
 * A queue of packets from the worker to the main thread, in shared memory: the worker never returns to its event loop,
 * and a message for each packet would cost more than the packet.
 *
 * Records follow each other: length, kind, slot, generation (a word each), then the octets, padded to a word. The two
 * positions count words without end (modulo 2^32); the capacity is a power of two.
 */

/** What a record is. */
export const recordKinds = {
  /** The first SYN of a flow; slot and generation name it. */
  syn: 1,
  /** A UDP datagram, several joined by segmentation offload, or a fragment of one. */
  datagram: 2,
  /** An ICMP echo request, or a fragment of any ICMP message. */
  echo: 3,
} as const;

/** A frame for the main thread, with its virtio-net header. */
export interface PacketRecord {
  kind: number;
  slot: number;
  generation: number;
  bytes: Uint8Array;
}

const headerWords = 4;
const writtenAt = 0;
const readAt = 1;
const controlWords = 2;
const capacityWords = 1 << 18;
/** Kind of the record that fills the end of the memory, where the next one did not fit in one piece. */
const padding = 0;

export class PacketRing {
  readonly memory: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;

  /** @param memory Of the ring at the other end; a fresh one of 1 MiB without. */
  constructor(
    memory = new SharedArrayBuffer((controlWords + capacityWords) * 4),
  ) {
    this.memory = memory;
    this.#control = new Int32Array(memory, 0, controlWords);
    this.#words = new Uint32Array(memory, controlWords * 4);
    this.#bytes = new Uint8Array(memory, controlWords * 4);
    this.#capacity = this.#words.length;
  }

  /** Appends a copy of a record, and wakes the reader. Returns false when there is no room. */
  write({ kind, slot, generation, bytes }: PacketRecord): boolean {
    const words = headerWords + (bytes.length + 3 >> 2);
    let written = Atomics.load(this.#control, writtenAt) >>> 0;
    const read = Atomics.load(this.#control, readAt) >>> 0;
    const toEnd = this.#capacity - this.#place(written);
    const skipped = words > toEnd ? toEnd : 0;
    if ((written - read >>> 0) + skipped + words > this.#capacity) return false;
    if (skipped > 0) {
      // Less than a header is padding without saying so.
      if (skipped > 1) this.#words[this.#place(written) + 1] = padding;
      written += skipped;
    }
    const at = this.#place(written);
    this.#words[at] = bytes.length;
    this.#words[at + 1] = kind;
    this.#words[at + 2] = slot;
    this.#words[at + 3] = generation;
    this.#bytes.set(bytes, (at + headerWords) * 4);
    Atomics.store(this.#control, writtenAt, written + words | 0);
    Atomics.notify(this.#control, writtenAt);
    return true;
  }

  /** Takes the next record, or `undefined` when there is none. Its octets are valid until {@link release}. */
  read(): PacketRecord | undefined {
    for (;;) {
      const written = Atomics.load(this.#control, writtenAt) >>> 0;
      const read = Atomics.load(this.#control, readAt) >>> 0;
      if (written === read) return undefined;
      const at = this.#place(read);
      const toEnd = this.#capacity - at;
      if (toEnd < headerWords || this.#words[at + 1] === padding) {
        Atomics.store(this.#control, readAt, read + toEnd | 0);
        continue;
      }
      const begin = (at + headerWords) * 4;
      return {
        kind: this.#words[at + 1]!,
        slot: this.#words[at + 2]!,
        generation: this.#words[at + 3]!,
        bytes: this.#bytes.subarray(begin, begin + this.#words[at]!),
      };
    }
  }

  /** Gives back the room of the record that was read. */
  release({ bytes }: PacketRecord): void {
    const words = headerWords + (bytes.length + 3 >> 2);
    Atomics.add(this.#control, readAt, words);
  }

  /**
   * Resolves when there may be something to read, or {@link wake} was called. Who waits must have something else that
   * keeps the event loop running: this does not.
   */
  async wait(): Promise<void> {
    const read = Atomics.load(this.#control, readAt);
    const wait = Atomics.waitAsync(this.#control, writtenAt, read);
    if (wait.async) await wait.value;
  }

  /** Wakes a reader that waits, with nothing to read. */
  wake(): void {
    Atomics.notify(this.#control, writtenAt);
  }

  #place(position: number): number {
    return position & this.#capacity - 1;
  }
}
