/**
 * Why a stream was not accepted. The list is closed: it crosses processes, so every end maps its own errors
 * to it and from it in one place.
 */
export const refusals = [
  /** Somebody at the address said no: nothing listens there. */
  "refused",
  /** No way to the address: no route, host or network unreachable. */
  "unreachable",
  /** Nobody answered within the dialer's time. */
  "timeout",
  /** The other end may not or will not go there (the manager's leash, a policy). */
  "forbidden",
  /** The target is not one that the other end knows. */
  "unknown-target",
  /** The other end has no room for one more stream. */
  "overloaded",
  /** The session ended before an answer came. */
  "gone",
  /** The other end failed for a reason of its own; the detail tells. */
  "failed",
] as const;

/** One of the closed list of reasons in {@link refusals}. */
export type Refusal = typeof refusals[number];

/** A stream was not accepted. Thrown by whoever opens one. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly refusal: Refusal;

  /** @param detail For people: what was tried and what came back. Never parsed. */
  constructor(refusal: Refusal, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.refusal = refusal;
  }
}
