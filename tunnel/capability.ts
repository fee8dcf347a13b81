/** What an end can do beyond its version of the protocol; SPEC.md section 2. */
export const capability = {
  /** It lets a stream move alone, and knows RESET over. */
  alone: "alone",
} as const;

/** Those of this end. */
export const ownCapabilities: ReadonlySet<string> = new Set(
  Object.values(capability),
);
