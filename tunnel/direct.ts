import type { Chunk } from "./chunk.ts";

/** Whole frames of one stream that go to the carrier where they stand: the bytes `from` to `to` of a chunk. */
export interface Direct {
  chunk: Chunk | undefined;
  from: number;
  to: number;
  /** Whether there is room for a PING behind them. */
  hasTail: boolean;
  /** Whether the stream has more to send. */
  wantsMore: boolean;
}

export function noDirect(): Direct {
  return { chunk: undefined, from: 0, to: 0, hasTail: false, wantsMore: false };
}
