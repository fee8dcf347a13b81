import { ConnResetError, RefusedError } from "../net/mod.ts";

/** The kubelet's text about a port is kept up to this length. */
const textLimit = 4096;

/** Collects what the cluster tells about a port that it could not, or no longer, forward to. */
export class PodError {
  #text = "";
  readonly #decoder = new TextDecoder();

  add(bytes: Uint8Array): void {
    if (this.#text.length >= textLimit) return;
    this.#text += this.#decoder.decode(bytes, { stream: true });
  }

  get isEmpty(): boolean {
    return this.#text === "";
  }

  /**
   * The error that the text stands for.
   *
   * @param answered Whether bytes of the app had come before: then the flow broke off.
   */
  toError(answered: boolean): RefusedError | ConnResetError {
    const text = this.#text.trim();
    if (answered) return new ConnResetError(`Cannot go on: ${text}`);
    const refused = /connection refused/i.test(text);
    return new RefusedError(refused ? "refused" : "failed", text);
  }
}
