/** A flow of datagrams to the pod, from the first one on: those that come before it is open wait for it. */
import { logger } from "../../log.ts";
import { type Datagrams, forwardDatagrams } from "../../net/mod.ts";

const log = logger("connector");

/** Datagrams that wait; more are lost, as on any network. */
const maxWaiting = 64;

export class PodDatagrams {
  /** Resolves when it is over, or could not be opened. Never rejects. */
  readonly ended: Promise<void>;
  readonly #waiting: Uint8Array[] = [];
  #flow: Datagrams | undefined;
  #isClosed = false;

  /** @param answer Given what the pod sends; the bytes are its own. */
  constructor(
    opening: Promise<Datagrams>,
    answer: (bytes: Uint8Array) => void,
  ) {
    this.ended = this.#run(opening, answer).catch((error) =>
      log.debug("not forwarded to the pod", { error })
    );
  }

  /** @param bytes Not to be changed any more. */
  send(bytes: Uint8Array): void {
    if (this.#flow !== undefined) this.#flow.send(bytes);
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(bytes);
  }

  close(): void {
    this.#isClosed = true;
    this.#flow?.close();
  }

  async #run(
    opening: Promise<Datagrams>,
    answer: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const flow = await opening;
    this.#flow = flow;
    try {
      if (this.#isClosed) return;
      for (const bytes of this.#waiting.splice(0)) flow.send(bytes);
      await forwardDatagrams(flow, (bytes) => answer(bytes.slice()));
    } finally {
      flow.close();
    }
  }
}
