/** More than one is not kept beyond this. */
export const maxKeptBytes = 16 * 1024;
/** What a datagram takes beside its bytes: there are empty ones. */
const ownBytes = 64;

/** A client's first datagrams, in their order, until it is known who takes them. */
export class KeptDatagrams implements Iterable<Uint8Array> {
  readonly #all: Uint8Array[] = [];
  #bytes = 0;

  /** Copies `bytes`. One is taken whatever its size; false when there is no room for another. */
  add(bytes: Uint8Array): boolean {
    const sum = this.#bytes + bytes.length + ownBytes;
    if (this.#all.length > 0 && sum > maxKeptBytes) return false;
    this.#bytes = sum;
    this.#all.push(bytes.slice());
    return true;
  }

  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.#all.values();
  }
}
