import { type Clock, ConnResetError } from "../../net/mod.ts";
import { ByteSource } from "../byte_source.ts";
import type { Destination } from "../destination.ts";
import { H2Connection } from "./connection.ts";
import type { End } from "./exchange.ts";
import type { H2Field } from "./hpack_decoder.ts";
import type { H2Stream } from "./stream.ts";

/** How long what was begun may take when the client is gone. */
const endMs = 5_000;

/** A connection that is open, or will be, and by which way. */
interface Opening {
  readonly connection: Promise<H2Connection>;
  readonly way: unknown;
}

/** The HTTP/2 connections to the destinations of one client connection: one for each that is open to requests. */
export class H2Upstreams {
  readonly #open = new Map<Destination, Opening>();
  readonly #all = new Set<H2Connection>();
  readonly #clock: Clock;
  readonly #onGoAway: (destination: Destination) => void;
  /** Calls off what is being opened; what is open nevertheless is broken off. */
  readonly #over = new AbortController();
  /** Requests that have no stream yet. */
  #asking = 0;
  #room = Promise.withResolvers<void>();

  /** @param options.onGoAway A destination wants its clients to ask by another connection. May be called again. */
  constructor(
    { clock, onGoAway = () => {} }: {
      clock: Clock;
      onGoAway?: (destination: Destination) => void;
    },
  ) {
    this.#clock = clock;
    this.#onGoAway = onGoAway;
  }

  /** How many requests are not over, those that wait for a connection or for room on it among them. */
  get requests(): number {
    let requests = this.#asking;
    for (const { streams } of this.#all) requests += streams;
    return requests;
  }

  /** Takes a connection that is open but has not spoken. */
  adopt(destination: Destination, source: ByteSource): void {
    const connection = this.#start(destination, source);
    this.#open.set(destination, {
      connection: Promise.resolve(connection),
      way: destination.way?.(),
    });
  }

  /** What {@link Destination.open} throws, and the reason of {@link H2Upstreams.end} from then on. */
  take(destination: Destination): Promise<H2Connection> {
    this.retireMoved();
    const open = this.#open.get(destination);
    if (open !== undefined) return open.connection;
    const way = destination.way?.();
    const opening = { connection: this.#begin(destination), way };
    this.#open.set(destination, opening);
    opening.connection.catch(() => this.#forget(destination, opening));
    return opening.connection;
  }

  /** What was opened by another way than that of this moment takes no further requests, and ends after those it has. */
  retireMoved(): void {
    for (const [destination, { connection, way }] of this.#open) {
      if (way === destination.way?.()) continue;
      this.#open.delete(destination);
      connection.then((open) => open.retire(), () => {});
    }
  }

  async #begin(destination: Destination): Promise<H2Connection> {
    const { signal } = this.#over;
    signal.throwIfAborted();
    const conn = await destination.open({ signal });
    if (signal.aborted) {
      conn.reset();
      throw signal.reason;
    }
    return this.#start(destination, new ByteSource(conn));
  }

  #forget(destination: Destination, opening: Opening): void {
    if (this.#open.get(destination) !== opening) return;
    this.#open.delete(destination);
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
    if (connection.isToldToLeave) this.#onGoAway(destination);
    if (!connection.isOpen) {
      const opening = this.#open.get(destination);
      opening?.connection.then((open) => {
        if (open === connection) this.#forget(destination, opening);
      }, () => {});
      if (connection.streams === 0) connection.close();
    }
    this.lookAgain();
  }

  /** Who waits for room looks whether it is still wanted. */
  lookAgain(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }

  /**
   * Sends a request when `connection` has room for one; `undefined` when it takes none any more, or `isWanted` says that
   * nobody waits for it. It is asked again at {@link H2Upstreams.lookAgain}.
   */
  async request(
    connection: H2Connection,
    fields: readonly H2Field[],
    options: { ends: () => boolean; isWanted: () => boolean },
  ): Promise<H2Stream | undefined> {
    const isMoot = () => !connection.isOpen || !options.isWanted();
    while (!isMoot() && !connection.hasRoom) await this.#room.promise;
    return isMoot() ? undefined : connection.request(fields, options.ends());
  }

  /** The same at the connection of `destination`. What {@link H2Upstreams.take} throws. */
  async ask(
    destination: Destination,
    fields: readonly H2Field[],
    options: { ends: () => boolean; isWanted: () => boolean },
  ): Promise<End | undefined> {
    this.#asking++;
    try {
      const connection = await this.take(destination);
      const stream = await this.request(connection, fields, options);
      return stream && { connection, stream };
    } finally {
      this.#asking--;
      this.lookAgain();
    }
  }

  /** Opens none any more, and lets go of all, at once or, for taps, when what was begun is done. */
  async end(options: { waits: boolean }): Promise<void> {
    if (options.waits) {
      let isLate = false;
      const cancel = this.#clock.after(endMs, () => {
        isLate = true;
        this.lookAgain();
      });
      const isOver = () => isLate || this.#over.signal.aborted;
      while (!isOver() && this.requests > 0) await this.#room.promise;
      cancel();
    }
    this.#over.abort(new ConnResetError("Cannot ask: the client is gone"));
    for (const connection of this.#all) connection.close();
    this.lookAgain();
  }
}
