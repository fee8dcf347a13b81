/** One intercept of this connection, with all that belongs to it on the laptop. */
import { logger } from "../../log.ts";
import { ConnectError } from "../failure.ts";
import type { InterceptInfo, InterceptRequest } from "./api.ts";

const log = logger("connector");

export interface HeldParts {
  /** As it is at present. */
  info: () => InterceptInfo;
  /** Resolves, with why, when it has ended by no doing of ours. */
  ended: Promise<string>;
  /** Resolves, with why, when it is of no use any more although its object is there. */
  failed: Promise<string>;
  /**
   * Has `tell` called when another has its traffic, with who that is, and when it has it again; and when it cannot be seen
   * any more what becomes of it, with why, and when it can again. What is so already is told at once. One listener.
   */
  onTurn: (tell: (text: string) => void) => void;
}

/** A name that is taken, from the request on until all is undone. */
export class HeldIntercept {
  readonly request: InterceptRequest;
  readonly #building = new AsyncDisposableStack();
  readonly #abort = new AbortController();
  readonly #opened = Promise.withResolvers<void>();
  #parts: HeldParts | undefined;
  #closing: Promise<void> | undefined;

  constructor(request: InterceptRequest) {
    this.request = request;
  }

  get name(): string {
    return this.request.name;
  }

  /** Aborts when it is to end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** `undefined` before it is open. */
  get parts(): HeldParts | undefined {
    return this.#parts;
  }

  /** Runs `build`, whose stack is undone with this, or at once when it fails. */
  async open(
    build: (building: AsyncDisposableStack) => Promise<HeldParts>,
  ): Promise<HeldParts> {
    try {
      const parts = await build(this.#building);
      if (this.signal.aborted) throw calledOff();
      this.#parts = parts;
      return parts;
    } catch (error) {
      const told = this.signal.aborted ? calledOff() : error;
      await this.#building.disposeAsync().catch((cause) =>
        log.error("intercept not undone", { name: this.name, error: cause })
      );
      throw told;
    } finally {
      this.#opened.resolve();
    }
  }

  /** Resolves when all is undone, what is being built included. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    await this.#opened.promise;
    this.#parts = undefined;
    await this.#building.disposeAsync();
  }
}

function calledOff(): ConnectError {
  const cause = "Cannot intercept: it was called off";
  return new ConnectError({ kind: "called-off", cause });
}
