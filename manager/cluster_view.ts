/**
 * What the manager sees of the cluster, kept up to date.
 *
 * 1. Each source is watched apart. Where the API server says no to one, something humbler takes its place, and it is
 *    tried again from time to time.
 * 2. Where pods live, the nodes say; pods are watched only while the nodes do not.
 * 3. Changes that come together are told together, as a view for laptops and as facts for the leash.
 */
import {
  type KubernetesObject,
  type Resource,
  resources,
  type WatchEvent,
} from "../k8s/mod.ts";
import { logger } from "../log.ts";
import type { Clock, Subnet } from "../net/mod.ts";
import {
  apiServersOf,
  assembleLeashFacts,
  assembleWorld,
  type ClusterState,
  namesOf,
  needsPods,
  nodeFactsOf,
  podBlocksOf,
  type Self,
  serviceSubnetsOf,
} from "./cluster_state.ts";
import { followCollection } from "./collection.ts";
import type { Feed } from "./feed.ts";
import type { LeashFacts } from "./leash.ts";
import { keepSource, type Source } from "./source.ts";
import { formatWorld, type World } from "./world.ts";

const log = logger("manager");

/** Changes within this time are told together. */
const gatherMs = 100;

/** Watches a collection, or what of it a selector picks, until the signal fires. */
export type Watch = <T extends KubernetesObject>(
  resource: Resource<T>,
  options: { namespace?: string; fieldSelector?: string; signal: AbortSignal },
) => AsyncIterable<WatchEvent<T>>;

export interface ClusterViewOptions {
  watch: Watch;
  /** Asks where Services have their addresses, for a cluster without ServiceCIDR objects. */
  askServiceRanges: () => Promise<Subnet[]>;
  self: Self;
  /** Where the view for laptops goes. */
  world: Feed<World>;
  clock: Clock;
}

export class ClusterView implements AsyncDisposable {
  readonly #options: ClusterViewOptions;
  readonly #abort = new AbortController();
  readonly #sources: Promise<void>[] = [];
  #state: ClusterState = {};
  #facts: LeashFacts;
  #pods: AbortController | undefined;
  #callOff: (() => void) | undefined;
  #told = "";

  /** Starts to watch. */
  constructor(options: ClusterViewOptions) {
    this.#options = options;
    this.#facts = assembleLeashFacts({}, options.self);
    const { signal } = this.#abort;
    for (const source of this.#allSources(signal)) this.#keep(source, signal);
  }

  /** What the leash must know. */
  get leashFacts(): LeashFacts {
    return this.#facts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#pods?.abort();
    this.#callOff?.();
    await Promise.all(this.#sources);
  }

  #allSources(signal: AbortSignal): Source[] {
    const { watch, askServiceRanges } = this.#options;
    return [
      {
        name: "namespaces",
        follow: () =>
          followCollection(watch(resources.namespaces, { signal }), {
            learn: namesOf,
            onChange: (namespaces) => this.#learn({ namespaces }),
          }),
        // Services of the manager's own namespace are better than none.
        instead: () => {
          const { namespace } = this.#options.self.settings;
          this.#learn({ namespaces: [namespace] });
        },
      },
      {
        name: "nodes",
        follow: () =>
          followCollection(watch(resources.nodes, { signal }), {
            learn: nodeFactsOf,
            onChange: (nodes) => this.#learn({ nodes }),
          }),
        instead: () => this.#learn({ nodes: null }),
      },
      {
        name: "servicecidrs",
        follow: () =>
          followCollection(watch(resources.serviceCidrs, { signal }), {
            learn: serviceSubnetsOf,
            onChange: (serviceSubnets) => this.#learn({ serviceSubnets }),
          }),
        instead: async () =>
          this.#learn({ serviceSubnets: await askServiceRanges() }),
      },
      {
        name: "endpointslices",
        follow: () =>
          followCollection(
            watch(resources.endpointSlices, {
              namespace: "default",
              fieldSelector: "metadata.name=kubernetes",
              signal,
            }),
            {
              learn: apiServersOf,
              onChange: (apiServers) => this.#learn({ apiServers }),
            },
          ),
        instead: () => this.#learn({ apiServers: [] }),
      },
    ];
  }

  /** Watches pods or does not. */
  #watchPods(isNeeded: boolean): void {
    if (!isNeeded) {
      this.#pods?.abort();
      this.#pods = undefined;
    }
    if (!isNeeded || this.#pods !== undefined) return;
    const { watch } = this.#options;
    const { signal } = this.#pods = new AbortController();
    const source: Source = {
      name: "pods",
      follow: () =>
        followCollection(watch(resources.pods, { signal }), {
          learn: podBlocksOf,
          onChange: (podBlocks) => this.#learn({ podBlocks }),
        }),
      // The block around the manager's own address is better than none.
      instead: () => this.#learn({ podBlocks: [] }),
    };
    this.#keep(source, signal);
  }

  #keep(source: Source, signal: AbortSignal): void {
    const { clock } = this.#options;
    this.#sources.push(keepSource(source, { signal, clock }));
  }

  #learn(part: Partial<ClusterState>): void {
    this.#state = { ...this.#state, ...part };
    this.#callOff ??= this.#options.clock.after(gatherMs, () => {
      this.#callOff = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    const { self, world } = this.#options;
    this.#facts = assembleLeashFacts(this.#state, self);
    this.#watchPods(needsPods(this.#state, self));
    const view = assembleWorld(this.#state, self);
    if (view === undefined) return;
    const text = formatWorld(view);
    if (text === this.#told) return;
    this.#told = text;
    log.info("the cluster as seen", {
      namespaces: view.namespaces.length,
      serviceSubnets: view.serviceSubnets,
      podSubnets: view.podSubnets,
    });
    world.set(view);
  }
}
