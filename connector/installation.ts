import {
  type ApiClient,
  isApiError,
  type KubernetesObject,
  type Ref,
  resourceOf,
} from "../k8s/mod.ts";
import { logger } from "../log.ts";

const log = logger("connector");

/** Who is told to have set the fields of our objects, whatever the release. */
const fieldManager = "tp";
/** How long taking back may last in all, in ms. */
const takeBackMs = 10_000;

/** Objects that are put into the cluster together, and can be removed again. */
export class Installation {
  readonly #api: ApiClient;
  /** Those that were not there before, with their uid once known. */
  readonly #made: { ref: Ref; manifest: KubernetesObject; uid?: string }[] = [];

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Applies `manifests` in their order. */
  async apply(
    manifests: KubernetesObject[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const manifest of manifests) {
      const isNew = !await this.#exists(manifest, signal);
      const entry = { ref: refOf(manifest), manifest };
      // Noted before it is done: an answer may be lost on its way.
      if (isNew) this.#made.push(entry);
      const { metadata: { uid } } = await this.#api.apply(manifest, {
        ...{ fieldManager, force: true, signal },
      });
      if (uid) Object.assign(entry, { uid });
    }
  }

  /** Removes what {@link Installation.apply} made, and nothing that was there before, last made first. */
  async takeBack(): Promise<void> {
    const signal = AbortSignal.timeout(takeBackMs);
    for (const { ref, manifest, uid } of this.#made.toReversed()) {
      const options = { signal, ...uid === undefined ? {} : { uid } };
      await this.#api.delete(resourceOf(manifest), ref, options)
        .catch((error) => log.warn("object left behind", { ...ref, error }));
    }
    this.#made.length = 0;
  }

  /** What may not be read counts as there: it is then left alone when all is taken back. */
  async #exists(
    manifest: KubernetesObject,
    signal: AbortSignal,
  ): Promise<boolean> {
    const resource = resourceOf(manifest);
    try {
      const found = await this.#api.find(resource, refOf(manifest), { signal });
      return found !== undefined;
    } catch (error) {
      if (isApiError(error, "Forbidden")) return true;
      throw error;
    }
  }
}

function refOf({ metadata: { name = "", namespace } }: KubernetesObject): Ref {
  return { name, ...namespace === undefined ? {} : { namespace } };
}
