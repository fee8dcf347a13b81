/** What a session is to those who use it. */
import type { Clock, Conn, Datagrams } from "../net/mod.ts";
import type { Peer } from "./handshake.ts";
import type { Identity } from "./identity.ts";
import type { Incoming } from "./incoming_open.ts";
import type { Limits } from "./limits.ts";

/** Why a session ended. */
export const sessionEndReasons = [
  /** This end closed it. */
  "closed",
  /** The peer closed it, or had no room for it; the detail tells. */
  "peer-closed",
  /** The carrier ended or failed. */
  "carrier-lost",
  /** Nothing came from the peer, not even an echo. */
  "carrier-silent",
  /** The peer broke the protocol. */
  "protocol-error",
  /** The peer says that this end broke the protocol. */
  "peer-protocol-error",
] as const;

export interface SessionEnd {
  readonly reason: typeof sessionEndReasons[number];
  /** For people. */
  readonly detail: string;
}

/** Many streams over one carrier. */
export interface Session {
  readonly peer: Peer;

  /**
   * Opens a stream of bytes to `target` (at most 16384 bytes, copied).
   *
   * @param options.urgent Its data goes before that of other streams, at both ends.
   * @throws {RefusedError} when the peer does not accept it: "overloaded" when it has too many, "gone" when the
   * session ended or is about to.
   * @throws The signal's reason when it aborts before the answer.
   */
  open(
    target: Uint8Array,
    options?: { signal?: AbortSignal; urgent?: boolean },
  ): Promise<Conn>;

  /** As {@link open}, for a flow of datagrams of at most 65527 bytes each. */
  openDatagrams(
    target: Uint8Array,
    options?: { signal?: AbortSignal },
  ): Promise<Datagrams>;

  /** Resolves when the session is over and the carrier released. Never rejects. */
  readonly ended: Promise<SessionEnd>;

  /** Breaks all streams off, tells the peer and closes the carrier. Idempotent; {@link ended} tells when it is done. */
  close(): void;

  stats(): SessionStats;
}

export interface SessionStats {
  /** Open streams of both ends, those not yet answered included. */
  readonly streams: number;
  /** Bytes that the carrier took and gave, frames included. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** The last and the shortest time from PING to PONG in milliseconds; 0 before one was measured. */
  readonly roundTripMs: number;
  readonly leastRoundTripMs: number;
  /** Datagrams that found no room, in either direction. */
  readonly datagramsDropped: number;
  /** Received bytes that wait for readers. */
  readonly unreadBytes: number;
  /** Received bytes that may come to wait for readers: what the peer may send, and what it has sent. */
  readonly promisedBytes: number;
}

export interface AcceptSessionOptions {
  /** What this end is, such as `tp/0.1.0`. */
  product: string;
  /** Called for each stream that the peer wants to open. Without it, all are refused ("unknown-target"). */
  serve?: (incoming: Incoming) => void;
  clock?: Clock;
  limits?: Partial<Limits>;
}

export interface DialSessionOptions extends AcceptSessionOptions {
  /** The key that proves who this end is. */
  identity: Identity;
}
