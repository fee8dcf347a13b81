/** Time as a capability, so that heartbeats, grace and caches are tested without waiting. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds. Returns how to call it off. */
  after(ms: number, run: () => void): () => void;
}

/** The process's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
