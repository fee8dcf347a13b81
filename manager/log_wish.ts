/** More of a log of the cluster's, for a while: of the manager's copy that is asked, or of agents. */

/** A quieter log would hide who does what, so none can be asked for. */
export const wishedLevels = ["info", "debug"] as const;

export interface LogWish {
  readonly kind: "log";
  readonly level: typeof wishedLevels[number];
  /** From 1 to a day. */
  readonly seconds: number;
}

/** For so long others have to bear with it. */
export const longestWishSeconds = 86_400;

/** `undefined` for what is no wish. */
export function logWishOf(
  { level: wished, seconds }: { level?: unknown; seconds?: unknown },
): LogWish | undefined {
  const level = wishedLevels.find((one) => one === wished);
  const isTime = Number.isInteger(seconds) && Number(seconds) >= 1 &&
    Number(seconds) <= longestWishSeconds;
  return level !== undefined && isTime
    ? { kind: "log", level, seconds: Number(seconds) }
    : undefined;
}
