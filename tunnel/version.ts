/** A range of protocol versions, both ends included. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** What this build speaks. */
export const protocolVersions: VersionRange = { min: 1, max: 1 };

/**
 * The version that two ends share: the highest that both know.
 *
 * @param peerProduct What the peer says it is, for the error.
 * @throws {IncompatibleError} when the ranges do not meet.
 */
export function commonVersion(
  ours: VersionRange,
  theirs: VersionRange,
  peerProduct = "",
): number {
  const version = Math.min(ours.max, theirs.max);
  if (version < ours.min || version < theirs.min) {
    throw new IncompatibleError(ours, theirs, peerProduct);
  }
  return version;
}

/** The two ends speak no common version of the protocol. */
export class IncompatibleError extends Error {
  override readonly name = "IncompatibleError";
  readonly ours: VersionRange;
  readonly theirs: VersionRange;
  /** What the peer says it is, such as `tp/0.1.0`. */
  readonly peerProduct: string;

  constructor(ours: VersionRange, theirs: VersionRange, peerProduct: string) {
    super(
      `Cannot speak with ${peerProduct || "the peer"}: it speaks protocol ` +
        `${formatRange(theirs)}, this end ${formatRange(ours)}`,
    );
    this.ours = ours;
    this.theirs = theirs;
    this.peerProduct = peerProduct;
  }
}

function formatRange({ min, max }: VersionRange): string {
  return min === max ? `version ${min}` : `versions ${min} to ${max}`;
}
