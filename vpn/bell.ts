/** The OS is in the name of the file that implements it. */

/** A descriptor that poll(2) finds readable from the moment that somebody rings it. */
export interface Bell extends Disposable {
  /** Negative when the kernel had none left. The bell of another thread may have the same. */
  readonly fd: number;
  ring(): void;
  /** Lets go of the library; the descriptor stays open. */
  [Symbol.dispose](): void;
}
