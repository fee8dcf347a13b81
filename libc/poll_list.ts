const entryBytes = 8; // struct pollfd: descriptor, events, returned events
const eventsAt = 4;
const toldAt = 6;
const readable = 1; // POLLIN
const broken = 8 | 16 | 32; // POLLERR | POLLHUP | POLLNVAL

/** What poll(2) is given: descriptors of which it shall tell when they can be read. Equal on all systems. */
export class PollList {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many descriptors there are. */
  readonly length: number;
  readonly #view: DataView;

  constructor(fds: readonly number[]) {
    this.length = fds.length;
    this.bytes = new Uint8Array(fds.length * entryBytes);
    this.#view = new DataView(this.bytes.buffer);
    fds.forEach((fd, i) => {
      this.#view.setInt32(entryBytes * i, fd, true);
      this.#view.setInt16(entryBytes * i + eventsAt, readable, true);
    });
  }

  /** What poll(2) told of the `i`-th; `undefined` for nothing. */
  told(i: number): "readable" | "gone" | undefined {
    const events = this.#view.getInt16(entryBytes * i + toldAt, true);
    if (events & broken) return "gone";
    return events & readable ? "readable" : undefined;
  }
}
