export const connectionWindow = 1024 * 1024;
/** How much may wait in the lanes of all streams before the connection's own window closes. */
const maxWaitingOctets = 4 * 1024 * 1024;

/**
 * The connection's window as its receiver keeps it. What comes is credited at once, so that a stream whose octets wait
 * stops no other; unless so much waits in all that only what goes on may be followed.
 */
export class ReceiveCredit {
  #left = connectionWindow;
  #waiting = 0;
  #owed = 0;
  readonly #onOwed: (octets: number) => void;

  /** @param onOwed Called with how much the peer is to be told. */
  constructor(onOwed: (octets: number) => void) {
    this.#onOwed = onOwed;
  }

  /** False when the peer sent more than it may. What is not held is credited whatever becomes of it. */
  receive(octets: number): boolean {
    this.#left -= octets;
    this.#owed += octets;
    const isAllowed = this.#left >= 0;
    this.#tell();
    return isAllowed;
  }

  /** So much waits from now on. */
  hold(octets: number): void {
    this.#waiting += octets;
  }

  /** So much of it went on. */
  release(octets: number): void {
    this.#waiting -= octets;
    this.#tell();
  }

  /** Tells what the peer may send again, once it is worth a frame. */
  #tell(): void {
    if (this.#waiting > maxWaitingOctets) return;
    if (this.#owed < connectionWindow / 4) return;
    this.#left += this.#owed;
    this.#onOwed(this.#owed);
    this.#owed = 0;
  }
}
