import { ProtocolError } from "./protocol_error.ts";

/** So many ids that came before earlier ones are remembered; then the earlier ones count as lost. */
const maxAhead = 16 * 1024;
/** No end opens so many streams while one OPEN of it is under way. */
const maxGap = 128 * 1024;
const step = 2;

/**
 * The stream ids that the peer has used: they rise by two, but those of different carriers overtake each other, and
 * some are lost. All up to a point, and some above it.
 */
export class SeenIds {
  readonly #parity: 0 | 1;
  #allTo: number;
  readonly #ahead = new Set<number>();

  constructor(parity: 0 | 1) {
    this.#parity = parity;
    this.#allTo = parity === 1 ? -1 : 0;
  }

  has(id: number): boolean {
    return id <= this.#allTo || this.#ahead.has(id);
  }

  /** @throws {ProtocolError} when the peer cannot have come to this id. */
  add(id: number): void {
    if (id % step !== this.#parity || id > this.#allTo + step * maxGap) {
      throw new ProtocolError("bad-stream-id", `no id of the peer is ${id}`);
    }
    if (this.has(id)) return;
    if (id === this.#allTo + step) this.#allTo = id;
    else this.#ahead.add(id);
    if (this.#ahead.size === 0) return;
    while (this.#ahead.size > maxAhead) {
      this.#allTo += step;
      this.#ahead.delete(this.#allTo);
    }
    while (this.#ahead.delete(this.#allTo + step)) this.#allTo += step;
  }
}
