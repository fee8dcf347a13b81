import type { Conn } from "../../net/mod.ts";
import { ByteSource } from "../byte_source.ts";
import type { Destination } from "../destination.ts";

export interface Upstream {
  readonly source: ByteSource;
  /** Whether it has served a request before, so that it may be breaking right now. */
  readonly isKept: boolean;
}

/** The upstream connections of one client connection: at most one for each destination. */
export class Upstreams {
  readonly #idle = new Map<Destination, ByteSource>();
  /** With the ways by which they were opened. */
  readonly #open = new Map<ByteSource, unknown>();

  /** The idle one to `destination`, if there is one. Those that came by another way than that of this moment are ended. */
  takeIdle(destination: Destination): Upstream | undefined {
    for (const [to, source] of this.#idle) {
      if (this.#open.get(source) === to.way?.()) continue;
      this.#idle.delete(to);
      this.#open.delete(source);
      source.close();
    }
    const source = this.#idle.get(destination);
    if (source === undefined) return undefined;
    this.#idle.delete(destination);
    return { source, isKept: true };
  }

  /** A fresh one. What {@link Destination.open} throws. */
  async open(
    destination: Destination,
    options: { signal: AbortSignal },
  ): Promise<Upstream> {
    const way = destination.way?.();
    const conn = await destination.open(options);
    if (options.signal.aborted) {
      conn.reset();
      throw options.signal.reason;
    }
    return { source: this.adopt(conn, way), isKept: false };
  }

  /** Takes one into the care of this object that somebody else opened; `way` as of its destination then. */
  adopt(conn: Conn, way?: unknown): ByteSource {
    const source = new ByteSource(conn);
    this.#open.set(source, way);
    return source;
  }

  /** Takes an open connection that owes no answer. Whatever comes from it before the next request ends it. */
  keep(destination: Destination, source: ByteSource): void {
    if (source.unreadBytes > 0) return this.drop(source);
    this.#idle.set(destination, source);
    const onOctetsOrEnd = () => {
      if (this.#idle.get(destination) !== source) return;
      this.#idle.delete(destination);
      this.drop(source);
    };
    source.fill().then(onOctetsOrEnd, onOctetsOrEnd);
  }

  /** Breaks off one that was taken. */
  drop(source: ByteSource): void {
    this.#open.delete(source);
    source.reset();
  }

  /** Takes one out of the care of this object. */
  release(source: ByteSource): void {
    this.#open.delete(source);
  }

  /** Ends the idle ones in order, breaks the others off. */
  close(): void {
    for (const source of this.#idle.values()) {
      this.#open.delete(source);
      source.close();
    }
    this.#idle.clear();
    for (const source of this.#open.keys()) source.reset();
    this.#open.clear();
  }
}
