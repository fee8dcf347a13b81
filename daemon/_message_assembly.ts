import { apiVersion, messageSize } from "./api.ts";

/**
 * Messages of one size out of a flow of octets, for a system whose Unix sockets keep no boundaries. A descriptor belongs to
 * the message in whose octets it came.
 */
export class MessageAssembly {
  #bytes = new Uint8Array(messageSize);
  #length = 0;
  #fd: number | undefined;

  /** Where the next octets go. Never empty. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#length);
  }

  /**
   * So many octets have come into {@link room}. Returns a message once it is whole; of another version, whose size is not
   * known, what has come of it.
   */
  take(
    count: number,
    fd?: number,
  ): { bytes: Uint8Array; fd?: number } | undefined {
    this.#length += count;
    this.#fd ??= fd;
    const isKnown = this.#bytes[0] === apiVersion;
    if (isKnown && this.#length < messageSize) return undefined;
    const bytes = this.#bytes.subarray(0, this.#length);
    const message = {
      bytes,
      ...this.#fd === undefined ? {} : { fd: this.#fd },
    };
    this.#bytes = new Uint8Array(messageSize);
    this.#length = 0;
    this.#fd = undefined;
    return message;
  }
}
