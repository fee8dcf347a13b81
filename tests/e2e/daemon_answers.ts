/** The nameserver on the device of a test: it knows an IPv4 address of every name, and a name of every address. */
import type { Datagrams } from "../../net/mod.ts";

const headerOctets = 12;
const types = { a: 1, ptr: 12 };
/** 10.96.7.7 */
const address = [10, 96, 7, 7];
/** `web.test.` */
const name = [3, 119, 101, 98, 4, 116, 101, 115, 116, 0];

/** One flow of queries. No DNS library: a user without one runs this. */
export class NameAnswers implements Datagrams {
  readonly #heard: (name: string) => void;
  readonly #queue: Uint8Array[] = [];
  #isClosed = false;
  #wake = Promise.withResolvers<void>();

  constructor(heard: (name: string) => void) {
    this.#heard = heard;
  }

  send(query: Uint8Array): boolean {
    let at = headerOctets;
    const labels: string[] = [];
    while (query[at] !== 0) {
      const end = at + 1 + query[at]!;
      labels.push(String.fromCharCode(...query.subarray(at + 1, end)));
      at = end;
    }
    this.#heard(labels.join(".").toLowerCase());
    const end = at + 5; // type and class
    const type = query[at + 2]!;
    const data = type === types.a ? address : type === types.ptr ? name : [];
    const isKnown = data.length > 0;
    this.#queue.push(Uint8Array.of(
      ...query.subarray(0, 2),
      ...[0x85, 0x80], // answer, authoritative, recursion desired and available
      ...[0, 1, 0, isKnown ? 1 : 0, 0, 0, 0, 0],
      ...query.subarray(headerOctets, end),
      // The name of the question, its type, class IN, one second.
      ...isKnown
        ? [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, data.length, ...data]
        : [],
    ));
    this.#wake.resolve();
    return true;
  }

  async receive(into: Uint8Array): Promise<number | null> {
    while (this.#queue.length === 0) {
      if (this.#isClosed) return null;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
    const bytes = this.#queue.shift()!;
    into.set(bytes);
    return bytes.length;
  }

  close(): void {
    this.#isClosed = true;
    this.#wake.resolve();
  }
}
