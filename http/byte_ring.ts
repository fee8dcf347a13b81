const firstBytes = 4 * 1024;

/** A bounded queue of octets in one buffer, which grows to the bound as needed. */
export class ByteRing {
  readonly #bound: number;
  #buffer = new Uint8Array(0);
  #start = 0;
  #size = 0;

  /** @param bound A power of two of at least 4 KiB. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#size;
  }

  /** Copies `octets` to the end; false, and nothing is done, when they have no room. */
  push(octets: Uint8Array): boolean {
    const needed = this.#size + octets.length;
    if (needed > this.#bound) return false;
    if (needed > this.#buffer.length) this.#grow(needed);
    const { length } = this.#buffer;
    const at = (this.#start + this.#size) % length;
    const first = Math.min(octets.length, length - at);
    this.#buffer.set(octets.subarray(0, first), at);
    if (first < octets.length) this.#buffer.set(octets.subarray(first), 0);
    this.#size = needed;
    return true;
  }

  /** The first octets, as many as lie side by side; none when it is empty. They stay as they are until dropped. */
  peek(): Uint8Array {
    const end = Math.min(this.#start + this.#size, this.#buffer.length);
    return this.#buffer.subarray(this.#start, end);
  }

  /** Takes the first `count` octets away. */
  drop(count: number): void {
    this.#size = Math.max(0, this.#size - count);
    this.#start = this.#size === 0
      ? 0
      : (this.#start + count) % this.#buffer.length;
  }

  clear(): void {
    this.#buffer = new Uint8Array(0);
    this.#start = this.#size = 0;
  }

  #grow(needed: number): void {
    let length = Math.max(firstBytes, this.#buffer.length);
    while (length < needed) length *= 2;
    const grown = new Uint8Array(length);
    const first = this.peek();
    grown.set(first);
    grown.set(
      this.#buffer.subarray(0, this.#size - first.length),
      first.length,
    );
    this.#buffer = grown;
    this.#start = 0;
  }
}
