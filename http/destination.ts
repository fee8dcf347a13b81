import type { Conn } from "../net/mod.ts";

/** Where requests go. Connections are kept for each destination, which is compared by identity. */
export interface Destination {
  /** @throws {RefusedError} when nobody takes the connection; nothing was delivered then. */
  open(options: { signal: AbortSignal }): Promise<Conn>;
  /**
   * The way that {@link open} leads at this moment. What was opened by another one takes no further requests: it may be
   * about to end.
   */
  way?(): unknown;
  /** Where a request goes in the place of this one, when {@link open} is refused before a byte of it was delivered. */
  readonly fallback?: {
    readonly destination: Destination;
    /** A header field for the response, so that who asked sees it. */
    readonly mark: readonly [name: string, value: string];
    /** Called each time. */
    readonly onFallback?: (error: Error) => void;
  };
}
