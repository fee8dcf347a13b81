import {
  type ApiClient,
  isApiError,
  type KubernetesObject,
  type Ref,
  resourceOf,
} from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { pause, systemClock } from "../../net/mod.ts";
import type { ConnectEvent } from "../api.ts";
import { ConnectError } from "../failure.ts";
import { Patience } from "../patience.ts";

const log = logger("connector");

/** Who is told to have set the fields of our objects, whatever the release. */
const fieldManager = "tp";
/** How long taking back may last in all, in ms. */
const takeBackMs = 10_000;
/** How long the answer to a write is waited for when all is called off, in ms. */
const answerMs = 2_000;
/** How long the deletion of an object may last that has to be made again, in ms. */
const goneMs = 60_000;
const pollMs = 250;

export interface ApplyOptions {
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
}

/** Objects that are put into the cluster together, and can be removed again. */
export class Installation {
  readonly #api: ApiClient;
  /** Those that were not there before, with their uid once known. */
  readonly #made: { ref: Ref; manifest: KubernetesObject; uid?: string }[] = [];

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /**
   * Applies `manifests` in their order.
   *
   * @throws {ConnectError} `manager-not-ready` when one that is being deleted does not go.
   */
  async apply(
    manifests: KubernetesObject[],
    { signal, tell }: ApplyOptions,
  ): Promise<void> {
    for (const manifest of manifests) {
      const isNew = !await this.#stays(manifest, { signal, tell });
      // A namespace that is there may be somebody's, and has all that is needed.
      if (!isNew && manifest.kind === "Namespace") continue;
      const entry = { ref: refOf(manifest), manifest };
      // Noted before it is done: an answer may be lost on its way.
      if (isNew) this.#made.push(entry);
      using writing = lastingALittle(signal);
      const { metadata: { uid } } = await this.#api.apply(manifest, {
        ...{ fieldManager, force: true, signal: writing.signal },
      });
      if (uid) Object.assign(entry, { uid });
      signal.throwIfAborted();
    }
  }

  /**
   * Removes what {@link Installation.apply} made, and nothing that was there before, last made first.
   *
   * @returns what could not be removed, a line of words each
   */
  async takeBack(): Promise<string[]> {
    const signal = AbortSignal.timeout(takeBackMs);
    const left: string[] = [];
    for (const { ref, manifest, uid } of this.#made.toReversed()) {
      const options = { signal, ...uid === undefined ? {} : { uid } };
      try {
        await this.#api.delete(resourceOf(manifest), ref, options);
      } catch (error) {
        log.warn("object left behind", { ...ref, error });
        // Of what was never answered for, nothing is known to be there.
        if (uid !== undefined) left.push(wordsFor(manifest));
      }
    }
    this.#made.length = 0;
    return left;
  }

  /** Whether the object is there; one that is being deleted is waited for. */
  async #stays(
    manifest: KubernetesObject,
    { signal, tell }: ApplyOptions,
  ): Promise<boolean> {
    const { kind = "object", metadata: { name } } = manifest;
    const what = `${kind.toLowerCase()} "${name}" is still being deleted`;
    using patience = new Patience((text) => tell({ event: "progress", text }));
    patience.waitFor(`Waiting: ${what}...`);
    const deadline = performance.now() + goneMs;
    while (performance.now() < deadline) {
      const found = await this.#find(manifest, signal);
      if (found === undefined) return false;
      if (found.metadata.deletionTimestamp === undefined) return true;
      await pause(pollMs, { clock: systemClock, signal });
      signal.throwIfAborted();
    }
    throw new ConnectError({
      kind: "manager-not-ready",
      cause: `Cannot install the traffic manager: ${what}`,
    });
  }

  /** What may not be read counts as there: it is then left alone when all is taken back. */
  async #find(
    manifest: KubernetesObject,
    signal: AbortSignal,
  ): Promise<KubernetesObject | undefined> {
    try {
      const resource = resourceOf(manifest);
      return await this.#api.find(resource, refOf(manifest), { signal });
    } catch (error) {
      if (isApiError(error, "Forbidden")) return manifest;
      throw error;
    }
  }
}

/**
 * A signal for one write that is called off by `signal`, yet not at once: the object could come to be after it was taken
 * back.
 */
function lastingALittle(
  signal: AbortSignal,
): Disposable & { signal: AbortSignal } {
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    timer = setTimeout(() => late.abort(signal.reason), answerMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) late.abort(signal.reason);
  return {
    signal: late.signal,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
    },
  };
}

function refOf({ metadata: { name = "", namespace } }: KubernetesObject): Ref {
  return { name, ...namespace === undefined ? {} : { namespace } };
}

function wordsFor(
  { kind = "object", metadata: { name, namespace } }: KubernetesObject,
): string {
  const where = namespace === undefined ? "" : ` in namespace "${namespace}"`;
  return `Left in the cluster: ${kind.toLowerCase()} "${name}"${where}`;
}
