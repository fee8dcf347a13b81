/** The traffic-agent: a sidecar that hands a workload's traffic to the app or to a laptop. */

/** @throws {Error} always: this release brings no traffic to a laptop, so nothing starts an agent. */
export function runAgent(): never {
  throw new Error(
    "Cannot run the traffic-agent: this release has no intercepts",
  );
}
