/** The buffers of pipes: small while little comes, large once reads fill them; of large ones no more than a bound. */

const smallBytes = 4 * 1024;
/**
 * A little below 64 KiB: with the headers that tunnels put before it, it still is one write of TLS and two reads of who
 * copies by 32 KiB, without a crumb after it (measured: 6 to 9 % of the CPU time of the whole way).
 */
const largeBytes = 64 * 1024 - 64;
/** Buffers of a size that wait for reuse; more are left to the garbage collector. */
const spareLimit = 64;

export interface PipeBufferLimits {
  /**
   * Above so many large buffers, one that a read did not fill is given back before the next read: who waits then, perhaps
   * for hours, waits with a small one. Below it is kept, as the next read is likely to be large again.
   */
  readonly plenty: number;
  /** There are never more large buffers in use. */
  readonly most: number;
}

export class PipeBuffers {
  readonly #limits: PipeBufferLimits;
  readonly #spareSmall: Uint8Array[] = [];
  readonly #spareLarge: Uint8Array[] = [];
  #largeInUse = 0;

  constructor(limits: PipeBufferLimits = { plenty: 256, most: 1024 }) {
    this.#limits = limits;
  }

  /** How many large buffers are in use. */
  get largeInUse(): number {
    return this.#largeInUse;
  }

  /** Most connections are short: a fresh buffer for each direction would cost more than what it carries. */
  take(): Uint8Array {
    return this.#spareSmall.pop() ?? new Uint8Array(smallBytes);
  }

  /** The buffer for the next read, after one of `read` octets into `buffer`, which goes back if it is another. */
  fit(buffer: Uint8Array, read: number): Uint8Array {
    const { plenty, most } = this.#limits;
    if (buffer.length === smallBytes) {
      if (read < smallBytes || this.#largeInUse >= most) return buffer;
      this.giveBack(buffer);
      this.#largeInUse++;
      return this.#spareLarge.pop() ?? new Uint8Array(largeBytes);
    }
    const isFilled = read === largeBytes;
    if (isFilled || read >= smallBytes / 4 && this.#largeInUse <= plenty) {
      return buffer;
    }
    this.giveBack(buffer);
    return this.take();
  }

  /** Takes a buffer back that nobody reads into any more. */
  giveBack(buffer: Uint8Array): void {
    const isLarge = buffer.length === largeBytes;
    if (isLarge) this.#largeInUse--;
    const spare = isLarge ? this.#spareLarge : this.#spareSmall;
    if (spare.length < spareLimit) spare.push(buffer);
  }
}

/** Of this process. */
export const pipeBuffers = new PipeBuffers();
