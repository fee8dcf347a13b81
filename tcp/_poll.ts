/** What the kernel tells of many sockets at once. The OS is in the name of the file that asks it. */
export interface Poll {
  /** Throws `SystemError`. */
  add(fd: number): void;
  remove(fd: number): void;
  /** Ends a {@link wait}, now or later. */
  ring(): void;
  /**
   * Resolves, from a thread of its own, when there is something to receive or an error, or somebody rang, or after half a
   * second: a process that ends with a socket open is not held up for longer. Tells how many {@link named} there are.
   */
  wait(): Promise<number>;
  /** One of those: a socket; `undefined` for who rang. */
  named(i: number): number | undefined;
}

export const maxEvents = 256;
export const waitMs = 500;
