import type { Clock } from "../net/mod.ts";
import type { ByteSource } from "./byte_source.ts";
import type { Upstreams } from "./h1/upstreams.ts";
import type { ServeLimits, ServeOptions } from "./serve_options.ts";
import type { Taps } from "./taps.ts";

/** What belongs to one client connection while it is served. */
export interface ConnectionParts {
  readonly client: ByteSource;
  readonly upstreams: Upstreams;
  readonly taps: Taps;
  readonly options: ServeOptions;
  /** Aborts when the connection is to be broken off. */
  readonly signal: AbortSignal;
  readonly limits: ServeLimits;
  readonly clock: Clock;
}
