/** Who called the connecting off: `tp quit`, the loss of the command that waited for it, or a signal to the connector. */
export type CalledOffBy = "quit" | "loss" | "signal";

const sentences: Record<CalledOffBy, string> = {
  quit: "`tp quit` called it off",
  loss: "the command that waited for it is gone",
  signal: "the connector was told to end",
};

/** The connecting was called off before it was done. */
export class CalledOffError extends Error {
  override readonly name = "CalledOffError";
  readonly by: CalledOffBy;

  constructor(by: CalledOffBy) {
    super(`Cannot connect: ${sentences[by]}`);
    this.by = by;
  }
}
