import type { Clock } from "../../net/mod.ts";
import { ByteSource } from "../byte_source.ts";
import type { Destination } from "../destination.ts";
import { H2Connection } from "./connection.ts";
import type { H2Field } from "./hpack_decoder.ts";
import type { H2Stream } from "./stream.ts";

/** How long what was begun may take when the client is gone. */
const endMs = 5_000;

/** The HTTP/2 connections to the destinations of one client connection: one for each that is open to requests. */
export class H2Upstreams {
  readonly #open = new Map<Destination, Promise<H2Connection>>();
  readonly #all = new Set<H2Connection>();
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  #room = Promise.withResolvers<void>();

  constructor(options: { signal: AbortSignal; clock: Clock }) {
    this.#signal = options.signal;
    this.#clock = options.clock;
  }

  /** Takes a connection that is open but has not spoken. */
  adopt(destination: Destination, source: ByteSource): void {
    const connection = this.#start(destination, source);
    this.#open.set(destination, Promise.resolve(connection));
  }

  /** What {@link Destination.open} throws. */
  take(destination: Destination): Promise<H2Connection> {
    const opening = this.#open.get(destination) ?? this.#begin(destination);
    this.#open.set(destination, opening);
    return opening;
  }

  async #begin(destination: Destination): Promise<H2Connection> {
    try {
      const conn = await destination.open({ signal: this.#signal });
      if (this.#signal.aborted) {
        conn.reset();
        throw this.#signal.reason;
      }
      return this.#start(destination, new ByteSource(conn));
    } catch (error) {
      this.#open.delete(destination);
      throw error;
    }
  }

  #start(destination: Destination, source: ByteSource): H2Connection {
    const connection = new H2Connection(source, {
      role: "client",
      clock: this.#clock,
      handlers: { onRoom: () => this.#onRoom(destination, connection) },
    });
    this.#all.add(connection);
    connection.run().finally(() => this.#all.delete(connection));
    return connection;
  }

  #onRoom(destination: Destination, connection: H2Connection): void {
    if (!connection.isOpen) {
      this.#open.get(destination)?.then((open) => {
        if (open === connection) this.#open.delete(destination);
      }, () => {});
      if (connection.streams === 0) connection.close();
    }
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }

  /**
   * Sends a request when `connection` has room for one; `undefined` when it takes none any more, or `isWanted` says that
   * nobody waits for it.
   */
  async request(
    connection: H2Connection,
    fields: readonly H2Field[],
    options: { ends: () => boolean; isWanted: () => boolean },
  ): Promise<H2Stream | undefined> {
    while (connection.isOpen && !connection.hasRoom) await this.#room.promise;
    if (!connection.isOpen || !options.isWanted()) return undefined;
    return connection.request(fields, options.ends());
  }

  /** Lets go of all, at once or, for taps, when what was begun is done. */
  async end(options: { waits: boolean }): Promise<void> {
    if (options.waits) {
      let isLate = false;
      const cancel = this.#clock.after(endMs, () => {
        isLate = true;
        this.#room.resolve();
      });
      while (!isLate && [...this.#all].some(({ streams }) => streams > 0)) {
        await this.#room.promise;
      }
      cancel();
    }
    for (const connection of this.#all) connection.close();
  }
}
