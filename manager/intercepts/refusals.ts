import type { Clock } from "../../net/mod.ts";
import type { Fallback } from "../agent_api.ts";
import type { Intercept } from "../intercept.ts";
import type { ProvenPod } from "./agent_proof.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { tellRefusal } from "./intercept_events.ts";
import { workloadKey } from "./workload_key.ts";

/** Of one intercept no more is told in this time, however many pods say it. */
export const quietMs = 60_000;
/** Intercepts of which it is known when they were told of. */
const maxKnown = 4096;

export interface RefusalsOptions {
  api: Pick<ClusterApi, "create">;
  /** Of this copy of the manager. */
  pod: string;
  findIntercept: (uid: string) => Intercept | undefined;
  clock: Pick<Clock, "now">;
}

/** What agents say that laptops did not take, as events of the cluster. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #toldMs = new Map<string, number>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** Nothing is told of intercepts of other workloads than the pod's. Resolves when it is written; never rejects. */
  async add(of: ProvenPod, { fallback, reason }: Fallback): Promise<void> {
    const { api, pod, findIntercept, clock } = this.#options;
    const intercept = findIntercept(fallback);
    if (intercept === undefined) return;
    const { metadata, spec } = intercept;
    if (workloadKey(metadata.namespace!, spec.workload) !== of.workload) return;
    const nowMs = clock.now();
    if (nowMs - (this.#toldMs.get(fallback) ?? -Infinity) < quietMs) return;
    if (this.#toldMs.size >= maxKnown) this.#toldMs.clear();
    this.#toldMs.set(fallback, nowMs);
    await tellRefusal(api, { intercept, of, why: reason, pod });
  }
}
