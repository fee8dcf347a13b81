/** What one session may take. */
export interface Limits {
  /** Streams that the peer may have open at a time. */
  streams: number;
  /** Streams of the peer that may wait for accept or refuse at a time. */
  unanswered: number;
  /** Receive window of a stream at its start, while the budget is ample. */
  windowBytes: number;
  /** Receive window to which a stream may grow. */
  maxWindowBytes: number;
  /**
   * Sum of all receive windows, and so of all bytes that wait for slow readers. Above it a stream gets only
   * {@link minWindowBytes}, so the bound of a session is this sum plus `streams` times that.
   */
  budgetBytes: number;
  /** Datagrams that wait on one stream in one direction. */
  datagramQueueBytes: number;
  /** Datagrams that wait on all streams together. */
  datagramBudgetBytes: number;
  /** Bytes that a session keeps until they are acknowledged; every stream may keep 16 KiB beyond it. */
  keptBytes: number;
  /** Carriers that the dialer opens at a time. The acceptor takes twice as many. */
  carriers: number;
  /**
   * The round trip from which on bulk has more carriers than one: what one connection has under way (4 MiB by Linux's own
   * bounds) may be less than such a way can carry. On a shorter one more connections carry no more, and where cores are
   * few, each that is always full keeps the processes on the way from looking at what else has come: with three, small
   * requests took twenty times as long (bench/README.md).
   */
  longWayMs: number;
  /**
   * How old a carrier becomes at most, before the dialer has replaced it: proxies and load balancers cut at an hour, or at
   * 45 minutes.
   */
  carrierMs: number;
  /**
   * So many PINGs in a row without any byte from the peer mean that it is not there. Infinity: a carrier's own end alone
   * does, as of one inside a host, whose kernel tells of it; a peer that is stopped is there.
   */
  unansweredPings: number;
  /** How long a session goes on without a carrier. */
  graceMs: number;
  /** How long an acceptor's session goes on over shortcuts alone, without a carrier of those that can begin one. */
  shortcutMs: number;
  /** Sessions of an `Acceptor` at a time. */
  sessions: number;
  /** How long the peer's greeting may take. */
  greetingMs: number;
}

export const defaultLimits: Limits = {
  streams: 16 * 1024,
  unanswered: 4096,
  windowBytes: 1024 * 1024,
  maxWindowBytes: 16 * 1024 * 1024,
  budgetBytes: 256 * 1024 * 1024,
  datagramQueueBytes: 256 * 1024,
  datagramBudgetBytes: 16 * 1024 * 1024,
  keptBytes: 64 * 1024 * 1024,
  carriers: 4,
  longWayMs: 5,
  carrierMs: 44 * 60_000,
  unansweredPings: 3,
  graceMs: 15 * 60_000,
  shortcutMs: 60 * 60_000,
  sessions: 1024,
  greetingMs: 10_000,
};

/** The window that every stream gets, whatever the budget says: below it a stream is of no use. */
export const minWindowBytes = 16 * 1024;
