import { ProtocolError } from "./protocol_error.ts";
import { SeenIds } from "./seen_ids.ts";
import type { Stream } from "./stream.ts";

export type Role = "dialer" | "acceptor";

const maxId = 0xffffffff;

/** The streams of a session by id, and what their ids tell about the rest; SPEC.md sections 3 and 5. */
export class StreamTable {
  readonly #streams = new Map<number, Stream>();
  /** Opened by this end, without an id yet. */
  readonly #unsent = new Set<Stream>();
  readonly #ownParity: 0 | 1;
  #nextOwnId: number;
  readonly #peerIds: SeenIds;
  #peerCount = 0;

  constructor(role: Role) {
    this.#ownParity = role === "dialer" ? 1 : 0;
    this.#nextOwnId = role === "dialer" ? 1 : 2;
    this.#peerIds = new SeenIds(role === "dialer" ? 0 : 1);
  }

  /** Open streams of both ends. */
  get size(): number {
    return this.#streams.size + this.#unsent.size;
  }

  /** Open streams that the peer opened. */
  get peerCount(): number {
    return this.#peerCount;
  }

  /** Whether this end opens the streams with such an id. */
  isOwn(id: number): boolean {
    return id % 2 === this.#ownParity;
  }

  /** Open streams that this end opened. */
  get ownCount(): number {
    return this.size - this.#peerCount;
  }

  /** Whether one more stream of this end would find an id. */
  get hasOwnId(): boolean {
    return this.#nextOwnId + 2 * this.#unsent.size <= maxId;
  }

  /** All streams, with those that have no id yet. A copy. */
  all(): Stream[] {
    return [...this.#streams.values(), ...this.#unsent];
  }

  /** Those that have an id. */
  values(): Iterable<Stream> {
    return this.#streams.values();
  }

  /** Streams of this end that have no id yet. A copy. */
  unsent(): Stream[] {
    return [...this.#unsent];
  }

  /** Takes in a stream of this end that has no id yet. */
  addOwn(stream: Stream): void {
    this.#unsent.add(stream);
  }

  /** Gives a stream of {@link addOwn} the next id. */
  assignId(stream: Stream): number {
    this.#unsent.delete(stream);
    const id = this.#nextOwnId;
    this.#nextOwnId += 2;
    this.#streams.set(id, stream);
    return id;
  }

  /** Whether the peer has used `id` before. */
  isSeen(id: number): boolean {
    return this.#peerIds.has(id);
  }

  /**
   * The peer uses `id`.
   *
   * @throws {ProtocolError} when it is none of its ids.
   */
  see(id: number): void {
    this.#peerIds.add(id);
  }

  /** Takes in a stream that the peer opened. */
  addPeer(stream: Stream): void {
    this.#streams.set(stream.id, stream);
    this.#peerCount++;
  }

  /** Puts `stream` in the place of the one that has its id. */
  replace(stream: Stream): void {
    this.#streams.set(stream.id, stream);
  }

  /** Lets go of a stream. One that is not there is no matter. */
  remove(stream: Stream): void {
    this.#unsent.delete(stream);
    const { id } = stream;
    if (this.#streams.get(id) !== stream) return;
    this.#streams.delete(id);
    if (!this.isOwn(id)) this.#peerCount--;
  }

  /** The stream with this id, unless it is over or was never opened. */
  get(id: number): Stream | undefined {
    return this.#streams.get(id);
  }

  /** @throws {ProtocolError} when the id was never opened. */
  checkOver(id: number): void {
    const isKnown = this.isOwn(id)
      ? id < this.#nextOwnId
      : this.#peerIds.has(id);
    if (isKnown) return;
    throw new ProtocolError(
      "unknown-stream",
      `a frame on stream ${id}, which was never opened`,
    );
  }
}
