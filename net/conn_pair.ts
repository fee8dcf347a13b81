import { type Conn, ConnResetError } from "./conn.ts";

/**
 * Two flows in memory, joined end to end: what is written to one is read from the other.
 *
 * @param options.bufferBytes How much each direction holds before its writer waits.
 */
export function connPair({ bufferBytes = 64 * 1024 } = {}): [Conn, Conn] {
  const [there, back] = [new Lane(bufferBytes), new Lane(bufferBytes)];
  return [new LaneConn(back, there), new LaneConn(there, back)];
}

/** One direction: a bounded queue of bytes with an end. */
class Lane {
  #queue: Uint8Array[] = [];
  #queued = 0;
  #ended = false;
  #broken = false;
  #wake = Promise.withResolvers<void>();

  constructor(readonly bufferBytes: number) {}

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#queued === 0 && !this.#ended && !this.#broken) {
      await this.#wake.promise;
    }
    if (this.#broken) {
      throw new ConnResetError("Cannot read: the flow was reset");
    }
    const head = this.#queue[0];
    if (head === undefined) return null;
    const count = Math.min(head.length, into.length);
    into.set(head.subarray(0, count));
    if (count === head.length) this.#queue.shift();
    else this.#queue[0] = head.subarray(count);
    this.#queued -= count;
    this.#signal();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.#queued >= this.bufferBytes && !this.#broken) {
      await this.#wake.promise;
    }
    if (this.#broken || this.#ended) {
      throw new ConnResetError("Cannot write: the flow was reset");
    }
    const count = Math.min(bytes.length, this.bufferBytes - this.#queued);
    this.#queue.push(bytes.slice(0, count));
    this.#queued += count;
    this.#signal();
    return count;
  }

  end(): void {
    this.#ended = true;
    this.#signal();
  }

  break(): void {
    this.#broken = true;
    this.#signal();
  }

  #signal(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

class LaneConn implements Conn {
  #closed = false;

  constructor(readonly incoming: Lane, readonly outgoing: Lane) {}

  read(into: Uint8Array): Promise<number | null> {
    return this.incoming.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.outgoing.write(bytes);
  }

  closeWrite(): Promise<void> {
    this.outgoing.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.outgoing.end();
    this.incoming.break();
  }

  reset(): void {
    this.#closed = true;
    this.outgoing.break();
    this.incoming.break();
  }
}
