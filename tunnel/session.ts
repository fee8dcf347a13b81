/** What a session is to those who use it. */
import type { Clock, Conn, Datagrams } from "../net/mod.ts";
import type { CarrierStats } from "./carrier.ts";
import type { Peer } from "./handshake.ts";
import type { Identity } from "./identity.ts";
import type { Incoming } from "./incoming_open.ts";
import type { Limits } from "./limits.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/** Why a session ended. */
export const sessionEndReasons = [
  /** This end closed it. */
  "closed",
  /** The peer closed it, or had no room for it; the detail tells. */
  "peer-closed",
  /** It had no carrier for all of its grace. */
  "grace-over",
  /** The peer does not know it (any more): it was started again, or its grace was over. */
  "unknown-session",
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

/** Many streams, over carriers that come and go. */
export interface Session {
  readonly peer: Peer;

  /**
   * Opens a stream of bytes to `target` (at most 16384 bytes, copied). Without a carrier it waits for one.
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

  /**
   * The network has changed, or this end has slept: a carrier that does not answer within a second is held to be lost,
   * a missing one is dialled at once. No effect at the acceptor.
   */
  wake(): void;

  /**
   * Gives another way to open carriers, better than `dial`, that could not begin a session: a shortcut. While a carrier
   * of its lives, streams are opened on it; one that was dialled stays beside it. `undefined`: there is none any more.
   * No effect at the acceptor.
   */
  shortcut(dial: Dial | undefined): void;

  /** Resolves when the session is over and its carriers are released. Never rejects. */
  readonly ended: Promise<SessionEnd>;

  /** Breaks all streams off, tells the peer and closes the carriers. Idempotent; {@link ended} tells when it is done. */
  close(): void;

  stats(): SessionStats;
}

export interface SessionStats {
  /** "waiting": there is no carrier. */
  readonly state: "connected" | "waiting";
  /** The live ones. */
  readonly carriers: readonly CarrierStats[];
  /** Open streams of both ends, those not yet answered or not yet acknowledged included. */
  readonly streams: number;
  /** Bytes that all carriers took and gave, frames included. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** The last and the shortest time from PING to PONG in milliseconds, of the nearest carrier; 0 before one was measured. */
  readonly roundTripMs: number;
  readonly leastRoundTripMs: number;
  /** Carriers whose streams went on at another one. */
  readonly moves: number;
  /** Streams that went on at another carrier, with all others of theirs or alone, each time counted. */
  readonly movedStreams: number;
  /** Bytes of streams that were sent a second time. */
  readonly resentBytes: number;
  /** Datagrams that found no room, in either direction. */
  readonly datagramsDropped: number;
  /** Received bytes that wait for readers. */
  readonly unreadBytes: number;
  /** Received bytes that may come to wait for readers: what the peer may send, and what it has sent. */
  readonly promisedBytes: number;
  /** Memory of what waits to be sent or acknowledged. */
  readonly keptBytes: number;
}

/** What became of a carrier. */
export interface CarrierChange {
  readonly number: number;
  /** Why it was given up or lost; absent for one that joined. */
  readonly lost?: string;
  /** Live carriers after it. */
  readonly live: number;
}

export interface SessionOptions {
  /** What this end is, such as `tp/0.1.0`. */
  product: string;
  clock?: Clock;
  limits?: Partial<Limits>;
  /** Shared with other sessions: what all of them may hold together. */
  budget?: MemoryBudget;
}

/** Opens one carrier. */
export type Dial = (options: { signal: AbortSignal }) => Promise<Conn>;

export interface DialSessionOptions extends SessionOptions {
  /** The key that proves who this end is. */
  identity: Identity;
  /** Opens one carrier. Called whenever the session needs one more. */
  dial: Dial;
  /** Called for each stream that the peer wants to open. Without it, all are refused ("unknown-target"). */
  serve?: (incoming: Incoming) => void;
  /** Calls the dialling of the first carrier off. */
  signal?: AbortSignal;
  /** Told of each carrier that joins or is lost while the session lives, the first included. */
  onCarrier?: (change: CarrierChange) => void;
  /** Told why a further carrier could not be had, and `undefined` when there is one again. */
  onTrouble?: (trouble: Error | undefined) => void;
  /** From 0 to 1, for pauses that are not the same everywhere. */
  random?: () => number;
}
