/**
 * The Intercept objects of one connection: each is made once, and none stays that nobody wants.
 *
 * 1. An object bears the mark of its making. Where the answer to that is lost, the mark tells what is there by its name.
 * 2. One that is no longer wanted is deleted. What fails is tried again in the background, until the connection ends: its
 *    session is alive, so the manager would leave the object as it is.
 * 3. What else this laptop has left in a namespace is deleted before another one is made there, whose traffic it may have.
 *    It is found by its label, not by what was noted (`left_objects.ts`): so is what could not be deleted when the laptop
 *    connected, nor be noted, or was made while the API server had another address, and what point 2 has yet to try again.
 * 4. Where there may be one is noted beforehand, and forgotten when none is left: for the next connector, should this one be
 *    killed.
 */
import {
  type ApiClient,
  ApiError,
  ApiUnreachableError,
  isApiError,
} from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import {
  apiGroup,
  clientLabel,
  type Intercept,
  interceptObjectName,
  type InterceptSpec,
  sessionLabel,
  sessionLabelOf,
} from "../../manager/api.ts";
import { intercepts } from "../../manager/client.ts";
import { type Clock, pause, systemClock } from "../../net/mod.ts";
import { notMade } from "./object_failure.ts";
import type { SessionRecords } from "./session_records.ts";

const log = logger("connector");

/** Annotation: another one for each making of an object. */
const markAnnotation = `${apiGroup}/made-by`;
/** How often the making of an object is tried when its answer is lost. */
const makeAttempts = 3;
const makePauseMs = 500;
/** How long the API server may take to delete one; and how long when the connection ends meanwhile. */
const [deleteMs, lastDeleteMs] = [10_000, 3_000];
/** Before the first further attempt to delete one; twice as long before each other, up to the longest. */
const [firstPauseMs, longestPauseMs] = [500, 30_000];
/** For so long a request whose answer was lost may still make an object. */
const lateMs = 15_000;

export interface ObjectPlace {
  namespace: string;
  spec: InterceptSpec;
  /** Value of {@link clientLabel}. */
  label: string;
}

export interface OwnObjectsOptions {
  api: ApiClient;
  /** Thumbprint of the connection's key. */
  session: string;
  /** Thumbprints of the keys of all connections of this laptop; this one's alone when absent. */
  sessions?: ReadonlySet<string>;
  /** Nothing is noted when absent. */
  records?: SessionRecords | undefined;
  clock?: Clock;
}

/** What is to be deleted. */
interface Unwanted {
  readonly namespace: string;
  readonly name: string;
  readonly mark: string;
  /** Absent while it is not known whether there is one. */
  readonly uid?: string;
  readonly sinceMs: number;
}

export class OwnObjects implements AsyncDisposable {
  readonly #api: ApiClient;
  readonly #session: string;
  readonly #sessions: ReadonlySet<string>;
  readonly #records: SessionRecords | undefined;
  readonly #clock: Clock;
  /** Marks, from before an object is made until it is to be deleted, and UIDs, should somebody take the mark away. */
  readonly #wanted = new Set<string>();
  /** Each resolves to whether it is gone. */
  readonly #deletions = new Map<Unwanted, Promise<boolean>>();
  readonly #closed = new AbortController();

  constructor(
    { api, session, sessions = new Set(), records, clock = systemClock }:
      OwnObjectsOptions,
  ) {
    this.#sessions = sessions;
    this.#records = records;
    this.#api = api;
    this.#session = session;
    this.#clock = clock;
  }

  /** @throws {ConnectError | ApiUnreachableError} why there is none, or the signal's reason; one that came about yet is deleted. */
  async create(
    { namespace, spec, label }: ObjectPlace,
    { signal }: { signal: AbortSignal },
  ): Promise<Intercept> {
    const name = interceptObjectName(spec.name, spec.session);
    const mark = crypto.randomUUID();
    const object: Intercept = {
      metadata: {
        ...{ namespace, name, annotations: { [markAnnotation]: mark } },
        labels: {
          [sessionLabel]: sessionLabelOf(spec.session),
          [clientLabel]: label,
        },
      },
      spec,
    };
    this.#wanted.add(mark);
    await this.#records?.note(this.#session, namespace);
    try {
      const made = await this.#make(object, signal);
      this.#wanted.add(made.metadata.uid!);
      return made;
    } catch (error) {
      this.#wanted.delete(mark);
      if (mayHaveBeenDone(error, signal)) {
        const sinceMs = this.#clock.now();
        this.#deleteLater({ namespace, name, mark, sinceMs });
      }
      throw await notMade(this.#api, { namespace, error });
    }
  }

  /** Resolves when it is gone, or could not be deleted for now. */
  async delete(object: Intercept): Promise<void> {
    const { namespace, name, uid } = object.metadata;
    const mark = markOf(object) ?? "";
    const unwanted: Unwanted = {
      ...{ namespace: namespace!, name: name!, uid: uid!, mark },
      sinceMs: this.#clock.now(),
    };
    const isGone = await this.#attempt(unwanted, AbortSignal.timeout(deleteMs));
    this.#wanted.delete(mark);
    this.#wanted.delete(uid!);
    if (!isGone) this.#deleteLater(unwanted);
  }

  /**
   * Deletes what other connectors of the same user and laptop have left in `namespace`, which are dead, and what of this
   * connection nobody wants. What others of this connector have stays. Rejects with the signal's reason alone.
   */
  async deleteLeftovers(
    { namespace, label }: Pick<ObjectPlace, "namespace" | "label">,
    { signal }: { signal: AbortSignal },
  ): Promise<void> {
    try {
      const labelSelector = `${clientLabel}=${label}`;
      const options = { namespace, labelSelector, signal };
      const all = await this.#api.list(intercepts, options);
      const left = all.filter((one) =>
        !this.#isWanted(one) && !this.#isOther(one)
      );
      await Promise.all(left.map((one) => this.#remove(one, signal)));
    } catch (error) {
      signal.throwIfAborted();
      log.warn("leftovers not deleted", { namespace, error });
    }
  }

  /** Whether one that was to be deleted may still be there. */
  isGoing(uid: string): boolean {
    return this.#deletions.keys().some((unwanted) => unwanted.uid === uid);
  }

  /** What is left is tried once more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const deletions = await Promise.all(this.#deletions.values());
    if (deletions.every((isGone) => isGone)) {
      await this.#records?.forget(this.#session);
    }
  }

  async #make(object: Intercept, signal: AbortSignal): Promise<Intercept> {
    const { namespace, name } = object.metadata;
    const ref = { namespace: namespace!, name: name! };
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#api.create(intercepts, object, { signal });
      } catch (error) {
        signal.throwIfAborted();
        const isTaken = isApiError(error, "AlreadyExists");
        if (!isTaken && !mayHaveBeenDone(error, signal)) throw error;
        const found = await this.#api.find(intercepts, ref, { signal })
          .catch(() => {
            throw error;
          });
        if (found && markOf(found) === markOf(object)) return found;
        const isOurs = found?.spec.session === this.#session &&
          !this.#isWanted(found);
        if (attempt === makeAttempts || found && !isOurs) throw error;
        log.info("intercept made once more", { name, error });
        if (found) await this.#remove(found, signal);
        else await pause(makePauseMs, { clock: this.#clock, signal });
      }
    }
  }

  #isWanted(object: Intercept): boolean {
    const { spec, metadata } = object;
    return spec.session === this.#session &&
      (this.#wanted.has(metadata.uid!) ||
        this.#wanted.has(markOf(object) ?? ""));
  }

  /** Whether it is another connection's of this laptop. */
  #isOther({ spec: { session } }: Intercept): boolean {
    return session !== this.#session && this.#sessions.has(session);
  }

  async #remove({ metadata }: Intercept, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata;
    const ref = { namespace: namespace!, name: name! };
    await this.#api.delete(intercepts, ref, { uid: uid!, signal });
  }

  #deleteLater(unwanted: Unwanted): void {
    const running = this.#keepDeleting(unwanted)
      .finally(() => this.#deletions.delete(unwanted));
    this.#deletions.set(unwanted, running);
  }

  async #keepDeleting(unwanted: Unwanted): Promise<boolean> {
    const { signal } = this.#closed;
    const clock = this.#clock;
    let waitMs = firstPauseMs;
    do {
      await pause(waitMs, { clock, signal });
      const limit = signal.aborted
        ? AbortSignal.timeout(lastDeleteMs)
        : AbortSignal.any([signal, AbortSignal.timeout(deleteMs)]);
      if (await this.#attempt(unwanted, limit)) return true;
      waitMs = Math.min(waitMs * 2, longestPauseMs);
    } while (!signal.aborted);
    log.warn("intercept left behind", { name: unwanted.name });
    return false;
  }

  /** Resolves to whether it is gone for certain. */
  async #attempt(unwanted: Unwanted, signal: AbortSignal): Promise<boolean> {
    const { namespace, name, mark, sinceMs } = unwanted;
    const ref = { namespace, name };
    try {
      let { uid } = unwanted;
      if (uid === undefined) {
        const found = await this.#api.find(intercepts, ref, { signal });
        if (found && markOf(found) === mark) uid = found.metadata.uid!;
        else return this.#clock.now() - sinceMs >= lateMs;
      }
      await this.#api.delete(intercepts, ref, { uid, signal });
      return true;
    } catch (error) {
      // Another one has its name.
      if (isApiError(error, "Conflict")) return true;
      log.warn("intercept not deleted", { name, error });
      return false;
    }
  }
}

function markOf({ metadata: { annotations } }: Intercept): string | undefined {
  return annotations?.[markAnnotation];
}

/** Whether the API server may have done what it was asked, or may do it yet, as far as the error tells. */
function mayHaveBeenDone(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof ApiUnreachableError ||
    error instanceof ApiError && error.status >= 500;
}
