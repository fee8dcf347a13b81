import { type Pod, resources } from "../../k8s/mod.ts";
import type { Clock } from "../../net/mod.ts";
import { followCollection } from "../collection.ts";
import { keepSource } from "../source.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { type PodFacts, podFactsOf } from "./pod_facts.ts";
import type { WorkloadPlace } from "./rollout_effects.ts";
import { type AppWorkload, formatSelector } from "./workload_kind.ts";

export interface WorkloadPodsOptions {
  api: Pick<ClusterApi, "watch">;
  place: WorkloadPlace;
  onChange: () => void;
  clock: Clock;
}

/** The pods of one workload, watched while that is asked for. */
export class WorkloadPods {
  readonly #options: WorkloadPodsOptions;
  #facts: readonly PodFacts[] | undefined;
  #watch: { abort: AbortController; done: Promise<void> } | undefined;

  constructor(options: WorkloadPodsOptions) {
    this.#options = options;
  }

  /** `undefined` before all have been told. */
  get facts(): readonly PodFacts[] | undefined {
    return this.#facts;
  }

  /** False for one that is being deleted, or is gone. True of any as long as they are not known. */
  isStaying(uid: string): boolean {
    if (this.#facts === undefined) return true;
    return this.#facts.some((one) => one.uid === uid && !one.isLeaving);
  }

  /** `undefined` for one that has none yet, or is not known. */
  ipOf(uid: string): string | undefined {
    return this.#facts?.find((one) => one.uid === uid)?.ip;
  }

  /** No effect while they are watched. */
  follow(workload: AppWorkload): void {
    if (this.#watch !== undefined) return;
    const abort = new AbortController();
    const { signal } = abort;
    const { api, place, onChange, clock } = this.#options;
    const { namespace, workload: ref } = place;
    const labelSelector = formatSelector(workload);
    const options = { namespace, labelSelector, signal };
    const done = keepSource({
      name: `pods of ${ref.kind} ${namespace}/${ref.name}`,
      follow: () =>
        followCollection(api.watch<Pod>(resources.pods, options), {
          learn: (pod) => podFactsOf(pod, ref),
          onChange: (facts) => {
            if (signal.aborted) return;
            this.#facts = facts;
            onChange();
          },
        }),
      instead: () => {},
    }, { signal, clock });
    this.#watch = { abort, done };
  }

  /** Resolves when they are watched no more. */
  async unfollow(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    this.#facts = undefined;
    watch?.abort.abort();
    await watch?.done;
  }
}
