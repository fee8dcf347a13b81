/** So much is being asked that this is not asked as well. */
export class OverflowError extends Error {
  override name = "OverflowError";
}
