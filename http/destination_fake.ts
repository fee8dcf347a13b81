import { Buffer } from "node:buffer";
import { type Conn, connPair, RefusedError, writeAll } from "../net/mod.ts";
import type { Destination } from "./destination.ts";

/** One end of a connection in a test, with text for octets (latin1). */
export class Talk {
  readonly conn: Conn;
  #unread = "";
  readonly #buffer = new Uint8Array(64 * 1024);

  constructor(conn: Conn) {
    this.conn = conn;
  }

  send(text: string): Promise<void> {
    return writeAll(this.conn, Buffer.from(text, "latin1"));
  }

  /** Everything up to and with `end`. */
  async until(end: string): Promise<string> {
    while (!this.#unread.includes(end)) {
      if (!await this.#more()) throw new Error(`ended: "${this.#unread}"`);
    }
    return this.#take(this.#unread.indexOf(end) + end.length);
  }

  /** So many octets. */
  async octets(count: number): Promise<string> {
    while (this.#unread.length < count) {
      if (!await this.#more()) throw new Error(`ended: "${this.#unread}"`);
    }
    return this.#take(count);
  }

  /** Everything up to the peer's end. */
  async rest(): Promise<string> {
    while (await this.#more());
    return this.#take(this.#unread.length);
  }

  /** The same, or what was there when the peer broke it off. */
  async all(): Promise<{ text: string; isBroken: boolean }> {
    let isBroken = false;
    try {
      while (await this.#more());
    } catch {
      isBroken = true;
    }
    return { text: this.#take(this.#unread.length), isBroken };
  }

  async #more(): Promise<boolean> {
    const count = await this.conn.read(this.#buffer);
    if (count === null) return false;
    this.#unread += Buffer.from(this.#buffer.subarray(0, count))
      .toString("latin1");
    return true;
  }

  #take(count: number): string {
    const taken = this.#unread.slice(0, count);
    this.#unread = this.#unread.slice(count);
    return taken;
  }
}

/** A destination whose other end is in the test's hands. */
export class FakeDestination implements Destination {
  opened = 0;
  fallback?: NonNullable<Destination["fallback"]>;
  /** When set, it refuses. */
  refusal: RefusedError | undefined;
  /** What {@link way} tells. */
  currentWay: unknown;
  readonly #options: { bufferBytes?: number };
  readonly #waiting: Talk[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(options: { bufferBytes?: number } = {}) {
    this.#options = options;
  }

  way(): unknown {
    return this.currentWay;
  }

  open(): Promise<Conn> {
    this.opened++;
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    const [here, there] = connPair(this.#options);
    this.#waiting.push(new Talk(there));
    this.#wake.resolve();
    return Promise.resolve(here);
  }

  /** The other end of the next connection. */
  async accept(): Promise<Talk> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }
}

/** A destination that takes until the test says to open, and does not listen to its signal. */
export class SlowDestination implements Destination {
  readonly #asked = Promise.withResolvers<AbortSignal>();
  readonly #opened = Promise.withResolvers<Conn>();
  /** Resolves, once it is asked, to the signal that calls it off. */
  readonly asked: Promise<AbortSignal> = this.#asked.promise;

  open({ signal }: { signal: AbortSignal }): Promise<Conn> {
    this.#asked.resolve(signal);
    return this.#opened.promise;
  }

  /** Lets it be open. */
  arrive(): Talk {
    const [here, there] = connPair();
    this.#opened.resolve(here);
    return new Talk(there);
  }
}
