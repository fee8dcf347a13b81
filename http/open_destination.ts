import { type Conn, RefusedError } from "../net/mod.ts";
import type { Destination } from "./destination.ts";

/** Header field that tells of a fallback. */
export type Mark = readonly [name: string, value: string];

export interface Opened<Upstream> {
  readonly destination: Destination;
  readonly upstream: Upstream;
  /** There if a fallback was taken. */
  readonly mark?: Mark;
}

/**
 * Opens `destination`, or the fallback of whichever refuses.
 *
 * @param open Opens a destination, or has it open.
 * @throws {RefusedError} when the last one refuses; anything else that an opening throws.
 */
export async function openDestination<Upstream = Conn>(
  destination: Destination,
  open: (destination: Destination) => Promise<Upstream>,
): Promise<Opened<Upstream>> {
  let mark: Mark | undefined;
  for (;;) {
    try {
      const upstream = await open(destination);
      return { destination, upstream, ...(mark && { mark }) };
    } catch (error) {
      const { fallback } = destination;
      if (!(error instanceof RefusedError) || fallback === undefined) {
        throw error;
      }
      fallback.onFallback?.(error);
      mark ??= fallback.mark;
      destination = fallback.destination;
    }
  }
}
