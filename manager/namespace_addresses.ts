import { type KubernetesObject, type Resource, resources } from "../k8s/mod.ts";
import { type Clock, type Ip, RefusedError } from "../net/mod.ts";
import type { Watch } from "./cluster_view.ts";
import { addressesOfPod, addressesOfService } from "./cluster_state.ts";
import { followCollection } from "./collection.ts";
import { Feed } from "./feed.ts";
import { keepSource } from "./source.ts";

/** Namespaces that are watched at a time, for all laptops together. */
const maxNamespaces = 1024;

export interface NamespaceAddressesOptions {
  watch: Watch;
  clock: Clock;
}

/** The addresses of one namespace; dispose of it when nobody asks any more. */
export interface HeldAddresses extends Disposable {
  readonly feed: Feed<readonly Ip[]>;
}

/** One namespace, watched for all who hold it. */
interface Watched {
  readonly feed: Feed<readonly Ip[]>;
  readonly abort: AbortController;
  holders: number;
}

/**
 * The addresses of the Services and pods of single namespaces, also of one that does not exist yet. A namespace is watched
 * while somebody holds it, and once for all who do: a cluster has many more pods than a laptop asks about.
 */
export class NamespaceAddresses implements AsyncDisposable {
  readonly #options: NamespaceAddressesOptions;
  readonly #watched = new Map<string, Watched>();
  /** Watches that run, those that are about to end included. */
  readonly #running = new Set<Promise<void>>();

  constructor(options: NamespaceAddressesOptions) {
    this.#options = options;
  }

  /** How many are watched. */
  get size(): number {
    return this.#watched.size;
  }

  /** @throws {RefusedError} `overloaded`. */
  hold(namespace: string): HeldAddresses {
    const watched = this.#watched.get(namespace) ?? this.#watch(namespace);
    watched.holders++;
    return {
      feed: watched.feed,
      [Symbol.dispose]: () => {
        if (--watched.holders > 0) return;
        watched.abort.abort();
        this.#watched.delete(namespace);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { abort } of this.#watched.values()) abort.abort();
    await Promise.all(this.#running);
  }

  #watch(namespace: string): Watched {
    if (this.#watched.size >= maxNamespaces) {
      const detail = "The manager watches too many namespaces already";
      throw new RefusedError("overloaded", detail);
    }
    const abort = new AbortController();
    const feed = new Feed<readonly Ip[]>();
    const parts: { services?: readonly Ip[]; pods?: readonly Ip[] } = {};
    const learn = (part: typeof parts) => {
      const { services, pods } = Object.assign(parts, part);
      if (services && pods) feed.set([...services, ...pods]);
    };
    const { signal } = abort;
    this.#follow(resources.services, {
      ...{ namespace, signal, learn: addressesOfService },
      onChange: (services) => learn({ services }),
    });
    this.#follow(resources.pods, {
      ...{ namespace, signal, learn: addressesOfPod },
      onChange: (pods) => learn({ pods }),
    });
    const watched = { feed, abort, holders: 0 };
    this.#watched.set(namespace, watched);
    return watched;
  }

  #follow<T extends KubernetesObject>(
    resource: Resource<T>,
    { namespace, signal, learn, onChange }: {
      namespace: string;
      signal: AbortSignal;
      learn: (object: T) => Ip[];
      onChange: (all: readonly Ip[]) => void;
    },
  ): void {
    const { watch, clock } = this.#options;
    let isKnown = false;
    const tell = (all: readonly Ip[]) => {
      isKnown = true;
      onChange(all);
    };
    const following = keepSource({
      name: `${resource.plural} of ${namespace}`,
      follow: () =>
        followCollection(watch(resource, { namespace, signal }), {
          ...{ learn, onChange: tell },
        }),
      // What the manager may not see, nobody reaches through a view of single namespaces; what it has seen stands.
      instead: () => {
        if (!isKnown) tell([]);
      },
    }, { signal, clock }).finally(() => this.#running.delete(following));
    this.#running.add(following);
  }
}
