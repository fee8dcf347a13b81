import type { Clock, Conn } from "../net/mod.ts";
import type { Destination } from "./destination.ts";
import type { RequestHead } from "./request_head.ts";

/** Where a request goes, and who gets a copy of it. */
export interface Tapped {
  readonly destination: Destination;
  /** Their answers are thrown away, and they never hold the client. */
  readonly taps: readonly Destination[];
}

/** Called when a tap does not get the rest of a request, or of a connection. */
export type OnTapLost = (tap: Destination, error: Error) => void;

export interface ServeOptions {
  /** Called once for each request. */
  route(request: RequestHead): Destination | Tapped;
  /** The app: where what is no HTTP goes. */
  readonly otherwise: Destination;
  /** Breaks everything off. */
  readonly signal: AbortSignal;
  /**
   * Ends the connection after the next answer, which says so to the client, or when nothing was asked for a while. What
   * is no HTTP, or no longer, goes on.
   */
  readonly drain?: AbortSignal;
  /** The client speaks HTTP/1 and has its answers, by the connection of `otherwise` if one is named. */
  readonly resumed?: { readonly app?: Conn };
  readonly onTapLost?: OnTapLost;
  readonly clock?: Clock;
  readonly limits?: Partial<ServeLimits>;
}

export interface ServeLimits {
  /** After so long a silence of the client the app is opened, as it may speak first. */
  readonly silenceMs: number;
  /** So long octets that might begin a request are held back; then the app gets them. */
  readonly undecidedMs: number;
  /** For a head from its first octet on. */
  readonly headMs: number;
  /** How long a client that still sends is listened to after its last answer, so that the answer is not lost. */
  readonly lingerMs: number;
  /** How long an HTTP/1 client that is to leave may take to ask once more: one that asks as it is cut off loses a request. */
  readonly drainMs: number;
}

export const defaultLimits: ServeLimits = {
  silenceMs: 100,
  undecidedMs: 3_000,
  headMs: 60_000,
  lingerMs: 2_000,
  drainMs: 2_000,
};
