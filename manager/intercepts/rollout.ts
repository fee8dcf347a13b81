/**
 * Brings an agent into a workload's pods, once for each revision of it, and tells how far it is.
 *
 * 1. Before the first pod is replaced it is tried whether the API server reaches the webhook.
 * 2. Pods are replaced as {@link rolloutStep} says.
 * 3. Why a pod does not come is asked for while one is missing. What waiting does not mend is told after a moment, and
 *    so is that nothing has moved for a minute.
 */
import { type Event, eventsAbout, podTrouble } from "../../k8s/mod.ts";
import type { Clock } from "../../net/mod.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { failed, going, type Progress } from "./phase.ts";
import type { PodFacts } from "./pod_facts.ts";
import { takeStep, type WorkloadPlace } from "./rollout_effects.ts";
import { isAsWanted, rolloutStep } from "./rollout_step.ts";
import {
  type AppWorkload,
  formatWorkload,
  rollWay,
  wantedOf,
} from "./workload_kind.ts";

/** Some troubles pass by themselves within this time. */
const troubleMs = 1_000;
const stillMs = 60_000;
/** How long the webhook may be out of reach; less than a try that gets no answer takes. */
const webhookMs = 2_500;
/** Pods that came without an agent although the webhook is reached: so many are replaced once more. */
const maxMissed = 3;
/** So long pods that are being deleted may still get connections: nodes hear of it one after the other. */
const lingerMs = 1_500;
/** Events of before count as long as another machine's clock may be wrong. */
const skewMs = 5_000;
const maxDetails = 5;

export interface RolloutOptions extends WorkloadPlace {
  api: ClusterApi;
  revision: string;
  /** Pods that are there when it begins. */
  pods: readonly PodFacts[];
  /** Why the API server does not reach the webhook; `undefined` when it does. */
  tryWebhook: () => Promise<string | undefined>;
  clock: Clock;
  wallNow: () => number;
}

export class Rollout {
  readonly #options: RolloutOptions;
  readonly #former: ReadonlySet<string>;
  readonly #beganAt: number;
  #hasTriedWebhook = false;
  #unreachedSince: number | undefined;
  #missed = 0;
  #moved = "";
  #movedAt: number;
  /** Pods without the agent that are being deleted, each with when that was seen. */
  readonly #lingering = new Map<string, number>();
  #trouble: { readonly text: string; readonly since: number } | undefined;

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.#former = new Set(options.pods.map(({ uid }) => uid));
    this.#beganAt = options.wallNow();
    this.#movedAt = options.clock.now();
  }

  get revision(): string {
    return this.#options.revision;
  }

  /** Does what is next. To be called whenever pods change, and every second until it is done. */
  async advance(
    { workload, pods, answered }: {
      workload: AppWorkload;
      pods: readonly PodFacts[];
      /** How many agents have answered. */
      answered: number;
    },
  ): Promise<Progress> {
    const { api, namespace, workload: ref, revision } = this.#options;
    const staying = pods.filter(({ isLeaving }) => !isLeaving);
    const right = staying.filter((pod) => isAsWanted(pod, revision));
    const ready = right.filter(({ isReady }) => isReady).length;
    this.#note([right.length, ready, staying.length, pods.length, answered]);
    const step = rolloutStep({
      ...{ workload, way: rollWay(ref, workload), pods, revision },
      ...{ kind: ref.kind, former: this.#former },
    });
    if (step.kind === "done" && ready > 0) {
      this.#trouble = undefined;
      return this.#isLingering(pods)
        ? going("former pods are leaving their Services")
        : { kind: "done" };
    }
    const count = `${ready} of ${wantedOf(workload)} pods have an agent`;
    const isChange = step.kind !== "done" && step.kind !== "wait";
    if (isChange && !this.#hasTriedWebhook || step.kind === "missed") {
      const progress = await this.#reachWebhook();
      if (progress.kind !== "done") return progress;
      this.#hasTriedWebhook = true;
    }
    if (step.kind === "missed") {
      const { pod } = step;
      if (++this.#missed > maxMissed) {
        return failed(
          `pods of ${
            formatWorkload(ref)
          } come without an agent, "${pod.name}" for one`,
        );
      }
      const evict = { kind: "evict", pod } as const;
      await takeStep(api, { namespace, workload: ref, step: evict });
      return going(count);
    }
    const held = await takeStep(api, { namespace, workload: ref, step });
    const late = right.find(({ isReady }) => !isReady);
    const trouble = await this.#persistent(right, workload);
    if (trouble !== undefined) {
      return failed(trouble, { details: await this.#details(late) });
    }
    const waitsFor = held ?? (late && `"${late.name}": ${late.phase}`);
    return going(waitsFor ? `${count}; ${waitsFor}` : count);
  }

  /** Whether a former pod may still get connections. */
  #isLingering(pods: readonly PodFacts[]): boolean {
    const { revision, clock } = this.#options;
    const now = clock.now();
    const former = pods.filter((pod) =>
      pod.isLeaving && !isAsWanted(pod, revision)
    );
    for (const { uid } of former) {
      if (!this.#lingering.has(uid)) this.#lingering.set(uid, now);
    }
    return former.some(({ uid }) => now - this.#lingering.get(uid)! < lingerMs);
  }

  /** Failed after a moment: nodes hear of a manager that has just started one after the other. */
  async #reachWebhook(): Promise<Progress> {
    const { clock, tryWebhook } = this.#options;
    const since = this.#unreachedSince ??= clock.now();
    const why = await tryWebhook();
    if (why === undefined) {
      this.#unreachedSince = undefined;
      return { kind: "done" };
    }
    return clock.now() - since < webhookMs
      ? going("the webhook is being tried")
      : failed(why);
  }

  /** Nobody waits for anything: who comes later waits from then on. */
  rest(): void {
    this.#movedAt = this.#options.clock.now();
  }

  /** Why it is to be given up: nothing has changed for a minute. */
  whyStill(waitsFor: string): string | undefined {
    const { clock } = this.#options;
    if (clock.now() - this.#movedAt < stillMs) return undefined;
    return `nothing has moved for ${stillMs / 1000} s: ${waitsFor}`;
  }

  #note(figures: readonly number[]): void {
    const moved = figures.join();
    if (moved === this.#moved) return;
    this.#moved = moved;
    this.#movedAt = this.#options.clock.now();
  }

  /** A trouble that has been there for a moment. */
  async #persistent(
    right: readonly PodFacts[],
    workload: AppWorkload,
  ): Promise<string | undefined> {
    const text = right.find(({ trouble }) => trouble)?.trouble ??
      (right.length < wantedOf(workload)
        ? await this.#whyNotMade(workload)
        : undefined) ??
      await this.#whyNotStarted(right);
    const now = this.#options.clock.now();
    if (text === undefined) this.#trouble = undefined;
    else this.#trouble ??= { text, since: now };
    const { since = now } = this.#trouble ?? {};
    return now - since >= troubleMs ? text : undefined;
  }

  /** Why the workload's controller makes no pods, as the cluster says since this began. */
  async #whyNotMade(workload: AppWorkload): Promise<string | undefined> {
    const failure = workload.status?.conditions?.find(({ type, status }) =>
      type === "ReplicaFailure" && status === "True"
    );
    if (failure) return `${failure.reason}: ${failure.message}`;
    const { kind, name } = this.#options.workload;
    const events = await this.#eventsAbout({ kind, name });
    return podTrouble({
      events: events.filter(({ reason }) => reason === "FailedCreate"),
    });
  }

  /** Sandbox and volumes: their trouble is in events alone. */
  async #whyNotStarted(
    right: readonly PodFacts[],
  ): Promise<string | undefined> {
    const late = right.find(({ isReady }) => !isReady);
    if (late === undefined || late.phase === "it is getting ready") {
      return undefined;
    }
    const events = await this.#eventsAbout({ kind: "Pod", name: late.name });
    return podTrouble({ events });
  }

  async #details(pod: PodFacts | undefined): Promise<string[]> {
    if (pod === undefined) return [];
    const events = await this.#eventsAbout({ kind: "Pod", name: pod.name });
    return events.filter(({ type }) => type === "Warning").slice(-maxDetails)
      .map(({ reason, message }) => `pod "${pod.name}": ${reason}: ${message}`);
  }

  /** Oldest first; none where they can not be read. */
  async #eventsAbout(
    { kind, name }: { kind: string; name: string },
  ): Promise<Event[]> {
    const { api, namespace } = this.#options;
    const about = { namespace, name, kind };
    const events = await eventsAbout(api, about).catch(() => []);
    return events.filter(({ lastTimestamp, eventTime, metadata }) => {
      const at = lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
      return at === undefined || Date.parse(at) >= this.#beganAt - skewMs;
    });
  }
}
