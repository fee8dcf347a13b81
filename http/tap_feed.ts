import {
  type Clock,
  type Conn,
  ConnResetError,
  systemClock,
} from "../net/mod.ts";
import type { Destination } from "./destination.ts";
import { ByteRing } from "./byte_ring.ts";

/** How far a tap may be behind. */
export const tapQueueBytes = 256 * 1024;
/** How long a tap is waited for after the client's end. */
const endMs = 5_000;
/** What taps answer is read into it and thrown away. */
const waste = new Uint8Array(16 * 1024);

/** A copy of what a client sends, on its way to a tap. Who feeds it never waits. */
export class TapFeed {
  readonly destination: Destination;
  /** By which it is opened. */
  readonly way: unknown;
  readonly #onLost: (error: Error) => void;
  readonly #ring = new ByteRing(tapQueueBytes);
  readonly #abort = new AbortController();
  #conn: Conn | undefined;
  #isOver = false;
  #isInMessage = false;
  #isEnding = false;
  #wake = Promise.withResolvers<void>();
  /** Resolves when nothing of it is left. */
  readonly done: Promise<void>;

  /** @param onLost Called at most once: the rest of the message does not reach the tap. */
  constructor(destination: Destination, onLost: (error: Error) => void) {
    this.destination = destination;
    this.way = destination.way?.();
    this.#onLost = onLost;
    this.done = this.#run().catch((error) => this.#lose(error));
  }

  /** Whether a further message can be fed. */
  get isOpen(): boolean {
    return !this.#isOver && !this.#isEnding;
  }

  /** What is fed from here to {@link TapFeed.endMessage} belongs together. */
  beginMessage(): void {
    this.#isInMessage = true;
  }

  endMessage(): void {
    this.#isInMessage = false;
  }

  /** Copies `octets`; without room for them the copy is lost. */
  feed(octets: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#ring.push(octets)) this.#wake.resolve();
    else this.#lose(new Error("Cannot copy to a tap: it does not keep up"));
  }

  /** The client sends no more. The tap is given the rest, for a while. */
  end(clock: Clock = systemClock): void {
    if (this.#isOver) return;
    this.#isEnding = true;
    this.#wake.resolve();
    const cancel = clock.after(
      endMs,
      () => this.#lose(new Error("Cannot copy to a tap: it does not end")),
    );
    this.done.finally(cancel);
  }

  /** Lets go of the tap at once; the callback is not called. */
  abort(): void {
    this.#isInMessage = false;
    this.#ring.clear();
    this.#lose(new Error("Cannot copy to a tap: the connection is over"));
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const conn = await this.destination.open({ signal });
    if (this.#isOver) return conn.reset();
    this.#conn = conn;
    await Promise.all([this.#send(conn), this.#drain(conn)]);
    this.#isOver = true;
    conn.close();
  }

  async #send(conn: Conn): Promise<void> {
    while (!this.#isOver) {
      const octets = this.#ring.peek();
      if (octets.length > 0) this.#ring.drop(await conn.write(octets));
      else if (this.#isEnding) return conn.closeWrite();
      else {
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
      }
    }
  }

  async #drain(conn: Conn): Promise<void> {
    while (await conn.read(waste) !== null);
    if (!this.#isEnding || this.#ring.size > 0) {
      throw new ConnResetError("Cannot copy to a tap: it ended");
    }
  }

  #lose(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#conn?.reset();
    this.#abort.abort(error);
    this.#wake.resolve();
    if (this.#isInMessage || this.#ring.size > 0) this.#onLost(error);
    this.#ring.clear();
  }
}
