import { flag, frameHeadOctets, frameType } from "../h2/frame.ts";

/**
 * Knows where the frames of a server's HTTP/2 connection end, by nothing but their heads. What does not begin like one
 * (RFC 9113 section 3.4) makes it lose the thread.
 */
export class FrameFollower {
  readonly #head = new Uint8Array(frameHeadOctets);
  #headOctets = 0;
  #payloadOctets = 0;
  #isFirst = true;
  /** Between the frames of one header block nothing may stand (RFC 9113 section 6.2). */
  #isInBlock = false;
  #isBetween = false;
  #isLost = false;

  /** Whether a frame may follow here that is not the server's. */
  get isBetween(): boolean {
    return this.#isBetween;
  }

  /** @returns After how many of `octets` a frame that is not the server's may be put in, at the latest; -1 for nowhere. */
  follow(octets: Uint8Array): number {
    let between = -1;
    for (let at = 0; at < octets.length && !this.#isLost;) {
      at += this.#payloadOctets > 0
        ? this.#skip(octets.length - at)
        : this.#readHead(octets.subarray(at));
      const isWhole = this.#headOctets === 0 && this.#payloadOctets === 0;
      if (isWhole && !this.#isInBlock && !this.#isLost) between = at;
    }
    this.#isBetween = between === octets.length;
    return between;
  }

  #skip(octets: number): number {
    const count = Math.min(octets, this.#payloadOctets);
    this.#payloadOctets -= count;
    return count;
  }

  #readHead(octets: Uint8Array): number {
    const head = this.#head;
    const had = this.#headOctets;
    const count = Math.min(octets.length, frameHeadOctets - had);
    for (let i = 0; i < count; i++) head[had + i] = octets[i]!;
    this.#headOctets += count;
    if (this.#headOctets < frameHeadOctets) return count;
    this.#headOctets = 0;
    this.#payloadOctets = head[0]! << 16 | head[1]! << 8 | head[2]!;
    const type = head[3]!;
    this.#isLost = this.#isFirst && type !== frameType.settings;
    this.#isFirst = false;
    const isOfBlock = type === frameType.headers ||
      type === frameType.pushPromise || type === frameType.continuation;
    this.#isInBlock = isOfBlock && (head[4]! & flag.endHeaders) === 0;
    return count;
  }
}
