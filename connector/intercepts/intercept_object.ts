/**
 * The object of one intercept while it is there.
 *
 * 1. It is watched: what the manager writes into it is what has become of the intercept.
 * 2. Who releases it deletes it. Somebody else may do so, too: then it has ended.
 */
import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { Intercept, InterceptStatus } from "../../manager/api.ts";
import { intercepts } from "../../manager/client.ts";
import { pause, systemClock } from "../../net/mod.ts";
import { ConnectError, type FailureKind } from "../failure.ts";
import type { OwnObjects } from "./own_objects.ts";

const log = logger("connector");

/** How long the manager may leave an object without a word. */
const silenceMs = 30_000;
const pauseMs = 1_000;

export class InterceptObject implements AsyncDisposable {
  readonly #api: ApiClient;
  readonly #objects: OwnObjects;
  readonly #abort = new AbortController();
  readonly #ended = Promise.withResolvers<string>();
  readonly #failed = Promise.withResolvers<string>();
  readonly #following: Promise<void>;
  #object: Intercept;
  #onTurn: (text: string) => void = () => {};
  /** Who has its traffic, in words, while another has. */
  #takenBy: string | undefined;
  /** Why the API server does not tell of it any more, while that is so. */
  #refusal: string | undefined;
  #changed = Promise.withResolvers<void>();
  #isGone = false;

  /** @param object As it was made. */
  constructor(
    object: Intercept,
    { api, objects }: { api: ApiClient; objects: OwnObjects },
  ) {
    this.#api = api;
    this.#objects = objects;
    this.#object = object;
    this.#following = this.#follow();
  }

  /** As last seen. */
  get current(): Intercept {
    return this.#object;
  }

  get uid(): string {
    return this.#object.metadata.uid!;
  }

  /** Resolves, with why, when somebody else has ended it. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** Resolves, with why, when the manager says that the traffic will never come, or never again. */
  get failed(): Promise<string> {
    return this.#failed.promise;
  }

  /**
   * Resolves when the manager says that the traffic comes.
   *
   * @throws {ConnectError} `intercept-conflict`, `intercept-failed`, `intercept-elsewhere`.
   * @throws the reason of the signal.
   */
  async untilActive(
    { signal, tell }: { signal: AbortSignal; tell: (text: string) => void },
  ): Promise<void> {
    const told = new Set<string>();
    const startedAt = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const { status } = this.#object;
      if (this.#isGone) throw failed("it was deleted meanwhile");
      if (status?.phase === "Active") return;
      if (status?.phase === "Conflict" || status?.phase === "Failed") {
        throw new ConnectError({
          kind: kindOf(status),
          cause: `Cannot intercept: ${status.message ?? status.phase}`,
          ...status.details ? { details: [...status.details] } : {},
        });
      }
      const silentMs = performance.now() - startedAt;
      if (status === undefined && silentMs > silenceMs) {
        throw failed(
          `the traffic manager has not taken it up in ${silenceMs / 1000} s`,
        );
      }
      for (const text of [status?.message, ...status?.details ?? []]) {
        if (text === undefined || told.has(text)) continue;
        told.add(text);
        tell(text);
      }
      await Promise.race([
        this.#changed.promise,
        pause(pauseMs, { clock: systemClock, signal }),
      ]);
    }
  }

  /**
   * Has `tell` called when another has the traffic of one that was active, and when it has it again; and when it cannot be
   * seen any more what becomes of it, and when it can again. What is so already is told at once.
   */
  onTurn(tell: (text: string) => void): void {
    this.#onTurn = tell;
    if (this.#takenBy !== undefined) tell(takenText(this.#takenBy));
    if (this.#refusal !== undefined) tell(hiddenText(this.#refusal));
  }

  /** Deletes it, if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#following;
    if (!this.#isGone) await this.#objects.delete(this.#object);
  }

  /** A watch that cannot be had is tried again: the intercept goes on without. */
  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted && !this.#isGone) {
      try {
        await this.#watch(signal);
      } catch (error) {
        log.debug("intercept not watched", { error });
        this.#tellHidden(error);
        await pause(pauseMs, { clock: systemClock, signal });
      }
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#object.metadata;
    let isThere = false;
    for await (
      const event of this.#api.watch(intercepts, {
        namespace: namespace!,
        fieldSelector: `metadata.name=${name}`,
        signal,
      })
    ) {
      this.#tellSeen();
      if (event.type === "SYNCED") {
        if (!isThere) return this.#end();
        continue;
      }
      if (event.object.metadata.uid !== this.uid) continue;
      if (event.type === "DELETED") return this.#end();
      isThere = true;
      this.#object = event.object;
      const { status } = this.#object;
      if (status?.phase === "Failed") {
        this.#failed.resolve(status.message ?? status.phase);
      }
      this.#tellTurn();
      this.#tellChange();
    }
  }

  #tellTurn(): void {
    const { phase, message = "" } = this.#object.status ?? {};
    if (phase === "Conflict" && message !== this.#takenBy) {
      this.#takenBy = message;
      this.#onTurn(takenText(message));
    } else if (phase === "Active" && this.#takenBy !== undefined) {
      this.#takenBy = undefined;
      this.#onTurn("has its traffic again");
    }
  }

  /** Who has lost the right to see it would not hear of its end. What passes by itself is not told. */
  #tellHidden(error: unknown): void {
    const isRefused = error instanceof ApiError &&
      (error.status === 401 || error.status === 403);
    if (!isRefused || this.#refusal !== undefined) return;
    this.#refusal = error.message;
    this.#onTurn(hiddenText(error.message));
  }

  #tellSeen(): void {
    if (this.#refusal === undefined) return;
    this.#refusal = undefined;
    this.#onTurn("can be seen again");
  }

  #end(): void {
    this.#isGone = true;
    this.#ended.resolve("its object was deleted");
    this.#tellChange();
  }

  #tellChange(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

function takenText(message: string): string {
  return `has no traffic: ${message}`;
}

function hiddenText(why: string): string {
  return `may have ended, which this user is not told any more: ${why}`;
}

/** What a release does not know of is a failure like others. */
function kindOf({ phase, reason }: InterceptStatus): FailureKind {
  if (phase === "Conflict") return "intercept-conflict";
  return reason === "OtherManager" ? "intercept-elsewhere" : "intercept-failed";
}

function failed(why: string): ConnectError {
  const cause = `Cannot intercept: ${why}`;
  return new ConnectError({ kind: "intercept-failed", cause });
}
