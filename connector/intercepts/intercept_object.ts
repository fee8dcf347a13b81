/**
 * The object of one intercept, from its creation to its end.
 *
 * 1. It is created with the user's rights.
 * 2. It is watched: what the manager writes into it is what has become of the intercept.
 * 3. Who releases it deletes it. Somebody else may do so, too: then it has ended.
 */
import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import {
  clientLabel,
  type Intercept,
  interceptObjectName,
  type InterceptSpec,
  sessionLabel,
  sessionLabelOf,
} from "../../manager/api.ts";
import { intercepts } from "../../manager/client.ts";
import { ConnectError } from "../failure.ts";
import { forbiddenToIntercept } from "../forbidden.ts";
import { pause } from "../pause.ts";

const log = logger("connector");

/** How long the manager may leave an object without a word. */
const silenceMs = 30_000;
/** How long the API server may take to delete one. */
const deleteMs = 10_000;
const pauseMs = 1_000;

export interface ObjectPlace {
  namespace: string;
  spec: InterceptSpec;
  /** Value of {@link clientLabel}. */
  label: string;
}

export class InterceptObject implements AsyncDisposable {
  readonly #api: ApiClient;
  readonly #abort = new AbortController();
  readonly #ended = Promise.withResolvers<string>();
  readonly #following: Promise<void>;
  #object: Intercept;
  #changed = Promise.withResolvers<void>();
  #isGone = false;

  private constructor(api: ApiClient, object: Intercept) {
    this.#api = api;
    this.#object = object;
    this.#following = this.#follow();
  }

  /** @throws {ConnectError} `forbidden`, `intercepts-missing`, `intercept-failed`. */
  static async create(
    api: ApiClient,
    { namespace, spec, label }: ObjectPlace,
  ): Promise<InterceptObject> {
    const object: Intercept = {
      metadata: {
        namespace,
        name: interceptObjectName(spec.name, spec.session),
        labels: {
          [sessionLabel]: sessionLabelOf(spec.session),
          [clientLabel]: label,
        },
      },
      spec,
    };
    try {
      return new InterceptObject(api, await api.create(intercepts, object));
    } catch (error) {
      throw await failureOf(api, { namespace, error });
    }
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

  /**
   * Resolves when the manager says that the traffic comes.
   *
   * @throws {ConnectError} `intercept-conflict`, `intercept-failed`.
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
          kind: status.phase === "Failed"
            ? "intercept-failed"
            : "intercept-conflict",
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
      await Promise.race([this.#changed.promise, pause(pauseMs, signal)]);
    }
  }

  /** Deletes it, if it is still there. What fails is left to the session's grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#following;
    if (this.#isGone) return;
    const { namespace, name, uid } = this.#object.metadata;
    try {
      await this.#api.delete(
        intercepts,
        { namespace: namespace!, name: name! },
        { uid: uid!, signal: AbortSignal.timeout(deleteMs) },
      );
    } catch (error) {
      log.warn("intercept not deleted", { name, error });
    }
  }

  /** A watch that cannot be had is tried again: the intercept goes on without. */
  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted && !this.#isGone) {
      try {
        await this.#watch(signal);
      } catch (error) {
        log.debug("intercept not watched", { error });
        await pause(pauseMs, signal);
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
      if (event.type === "SYNCED") {
        if (!isThere) return this.#end();
        continue;
      }
      if (event.object.metadata.uid !== this.uid) continue;
      if (event.type === "DELETED") return this.#end();
      isThere = true;
      this.#object = event.object;
      this.#tellChange();
    }
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

/** Deletes what other connectors of the same user and laptop have left in `namespace`: they are dead. */
export async function deleteLeftovers(
  api: ApiClient,
  { namespace, label, session }: {
    namespace: string;
    label: string;
    session: string;
  },
): Promise<void> {
  try {
    const left = await api.list(intercepts, {
      namespace,
      labelSelector: `${clientLabel}=${label}`,
    });
    await Promise.all(
      left.filter(({ spec }) => spec.session !== session).map(
        ({ metadata: { name, uid } }) =>
          api.delete(intercepts, { namespace, name: name! }, { uid: uid! }),
      ),
    );
  } catch (error) {
    log.debug("leftovers not looked for", { error });
  }
}

function failed(why: string): ConnectError {
  const cause = `Cannot intercept: ${why}`;
  return new ConnectError({ kind: "intercept-failed", cause });
}

async function failureOf(
  api: ApiClient,
  { namespace, error }: { namespace: string; error: unknown },
): Promise<unknown> {
  if (!(error instanceof ApiError)) return error;
  const denied = /ValidatingAdmissionPolicy .* denied request: (.*)$/s
    .exec(error.detail)?.[1];
  if (denied !== undefined) {
    const cause = `Cannot intercept: ${denied}`;
    return new ConnectError({ kind: "intercept-denied", cause }, {
      cause: error,
    });
  }
  if (error.status === 403) {
    return await forbiddenToIntercept(api, { namespace, cause: error });
  }
  if (error.status === 404) {
    const isNamespace = /namespaces "/.test(error.detail);
    return new ConnectError({
      kind: isNamespace ? "workload-unknown" : "intercepts-missing",
      cause: isNamespace
        ? `Cannot intercept in namespace "${namespace}": there is none`
        : "Cannot intercept: the cluster knows no intercepts, its traffic manager is older than they are",
    }, { cause: error });
  }
  return error.status === 409 || error.status === 422
    ? new ConnectError({
      kind: "intercept-failed",
      cause: `Cannot intercept: ${error.detail}`,
    }, { cause: error })
    : error;
}
