import { ByteRing } from "../byte_ring.ts";
import type { H2Field } from "./hpack_decoder.ts";
import { streamWindow } from "./settings.ts";

/** How much may wait in several lanes together. */
export class LaneRoom {
  constructor(public octets: number) {}
}

const unbounded = new LaneRoom(Infinity);

/** One direction of a request or an answer, between the connection it comes from and the one it goes to. */
export class Lane {
  readonly #ring = new ByteRing(streamWindow);
  #end: { trailers: readonly H2Field[] } | undefined;
  readonly #copies = new Set<Lane>();
  readonly #room: LaneRoom;
  /** Called when there is more to take, or the end came. */
  onReadable = (): void => {};
  /** Called with how much was taken or thrown away: so much may be sent again. */
  onConsumed = (_octets: number): void => {};
  /** Called, of a copy, when it has no room for what came. It is no copy any longer. */
  onOverflow = (): void => {};

  constructor(room = unbounded) {
    this.#room = room;
  }

  get size(): number {
    return this.#ring.size;
  }

  /** There once nothing comes after what waits. */
  get end(): { trailers: readonly H2Field[] } | undefined {
    return this.#end;
  }

  /** A lane that gets all that comes from here on; it is never waited for. */
  copy(room: LaneRoom): Lane {
    const copy = new Lane(room);
    this.#copies.add(copy);
    if (this.#end !== undefined) copy.finish(this.#end.trailers);
    return copy;
  }

  endCopy(copy: Lane): void {
    this.#copies.delete(copy);
  }

  /** False when there is no room. */
  push(octets: Uint8Array): boolean {
    if (octets.length > this.#room.octets) return false;
    if (!this.#ring.push(octets)) return false;
    this.#room.octets -= octets.length;
    for (const copy of this.#copies) {
      if (copy.push(octets)) continue;
      this.#copies.delete(copy);
      copy.onOverflow();
    }
    this.onReadable();
    return true;
  }

  finish(trailers: readonly H2Field[] = []): void {
    this.#end = { trailers };
    for (const copy of this.#copies) copy.finish(trailers);
    this.onReadable();
  }

  /** Moves up to `most` octets to `into`. */
  take(into: Uint8Array, at: number, most: number): number {
    let taken = 0;
    while (taken < most && this.#ring.size > 0) {
      const part = this.#ring.peek().subarray(0, most - taken);
      into.set(part, at + taken);
      this.#ring.drop(part.length);
      taken += part.length;
    }
    this.#consumed(taken);
    return taken;
  }

  /** Throws away what waits. */
  discard(): void {
    const { size } = this.#ring;
    this.#ring.clear();
    if (size > 0) this.#consumed(size);
  }

  #consumed(octets: number): void {
    this.#room.octets += octets;
    this.onConsumed(octets);
  }
}
