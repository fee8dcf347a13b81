import type { RefusedError } from "./refusal.ts";

/**
 * One two-way byte flow: a TCP connection, a stream of a session, a carrier. `Deno.Conn` fits it but for
 * {@link Conn.reset}.
 *
 * The two directions end apart: `closeWrite()` ends ours, `read()` giving `null` tells that the peer ended
 * its own. `close()` and `reset()` end both at once and are idempotent.
 */
export interface Conn {
  /**
   * Reads at least one byte into `into`, resolves to how many, or to `null` after the peer's end.
   * One read at a time. Reading is what gives the sender room: who does not read, stops the peer.
   *
   * @throws {ConnResetError} when the flow broke off. Bytes may be missing.
   */
  read(into: Uint8Array): Promise<number | null>;

  /**
   * Writes at least one byte of `bytes`, resolves to how many. One write at a time. When it resolves the caller may
   * change `bytes`; until then not. It waits while the peer does not read.
   *
   * @throws {ConnResetError} when the flow broke off.
   */
  write(bytes: Uint8Array): Promise<number>;

  /** Ends our direction after all that was written. The peer reads to the end, then `null`. */
  closeWrite(): Promise<void>;

  /** Lets go of the flow. What was written is still delivered if the peer had ended its direction; else it may be lost. */
  close(): void;

  /** Breaks the flow off: the peer's reads and writes reject. */
  reset(): void;
}

/** The flow was broken off by the peer, or by what is between. */
export class ConnResetError extends Error {
  override readonly name = "ConnResetError";
}

/** Writes the whole of `bytes`. See {@link Conn.write} for what it throws. */
export async function writeAll(
  conn: Pick<Conn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await conn.write(bytes.subarray(done));
  }
}

/**
 * One flow of datagrams: a UDP 5-tuple or its stream in a session. Datagrams may be lost; none is split or joined.
 */
export interface Datagrams {
  /** Queues one datagram. Returns false when it was dropped for lack of room. Copies `bytes`. */
  send(bytes: Uint8Array): boolean;

  /**
   * Receives one datagram into `into` (cut to its size), resolves to its length, or to `null` when the flow ended.
   * One at a time.
   *
   * @throws {RefusedError} when it ended because the peer's host, or one on the way, said no.
   */
  receive(into: Uint8Array): Promise<number | null>;

  /**
   * In the place of {@link receive}, for who need not wait with a buffer of its own: gives each datagram to `take` as it
   * comes, first those that wait. The bytes are to be read during the call only. Resolves when the flow ended.
   *
   * @throws as {@link receive}.
   */
  forward?(take: (bytes: Uint8Array) => void): Promise<void>;

  /** Ends the flow. Idempotent. `why` is told to who receives at a stream's other end. */
  close(why?: RefusedError): void;

  /** Resolves when the flow has ended and the system has its socket back; a flow without one has none. Never rejects. */
  readonly released?: Promise<void>;
}
