/**
 * Intercepts, from the objects to the agents.
 *
 * 1. All Intercept and Agent objects are known by watches, and by Leases which laptops are there.
 * 2. Of each workload that has some, a {@link WorkloadControl} sees to rules, pods and statuses.
 * 3. Every second it is seen which laptops are here: their Leases are renewed. Who comes or goes wakes his workloads; who
 *    was away for too long loses his intercepts.
 */
import { type Pod, resources } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { Clock } from "../../net/mod.ts";
import type { Rule } from "../agent_api.ts";
import {
  type Agent,
  agentLabel,
  agentObjectName,
  type AgentSpec,
  managerAnnotation,
} from "../agent_object.ts";
import type { Feed } from "../feed.ts";
import {
  type Intercept,
  sessionLabelOf,
  type WorkloadRef,
} from "../intercept.ts";
import { agents, intercepts } from "../own_resources.ts";
import type { ProvenPod } from "./agent_proof.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { ConnectedAgents } from "./connected_agents.ts";
import type { Laptops } from "./laptops.ts";
import { ObjectBook } from "./object_book.ts";
import type { WorkloadPlace } from "./rollout_effects.ts";
import { SessionLeases } from "./session_leases.ts";
import { SessionLedger } from "./session_ledger.ts";
import { WorkloadControl } from "./workload_control.ts";
import { workloadKey } from "./workload_key.ts";
import { workloadNamedBy, workloadRefOf } from "./workload_kind.ts";

const log = logger("manager");

const tickMs = 1_000;
/** Leases that can not be read are not waited for longer. */
const leasesMs = 10_000;

export interface ControlOptions {
  api: ClusterApi;
  /** Pod and namespace of this copy of the manager. */
  self: { readonly pod: string; readonly namespace: string };
  laptops: Laptops;
  /** What {@link revisionAnnotation} says of a pod with that agent. */
  revisionOf: (spec: AgentSpec) => string | Promise<string>;
  /** The line of the manager's authorities; `undefined` while they are not known. */
  lineOf: () => Pick<AgentSpec, "line"> | undefined;
  /** Why the API server does not reach the webhook; `undefined` when it does. */
  tryWebhook: () => Promise<string | undefined>;
  /** Called with the UID of an intercept that was deleted. */
  onGone: (uid: string) => void;
  clock: Clock;
  /** Milliseconds since 1970. */
  wallNow: () => number;
  /** How long a laptop's intercepts outlive its last sign; as {@link SessionLedger} takes it. */
  goneMs?: number | undefined;
}

/** What the parts for each workload use. */
export interface ControlParts
  extends Omit<ControlOptions, "laptops" | "goneMs" | "onGone"> {
  readonly ledger: SessionLedger;
  readonly agents: ConnectedAgents;
  /** False before all objects have been told. */
  readonly isKnown: () => boolean;
  readonly interceptsOf: (workload: string) => Intercept[];
  readonly agentOf: (workload: string) => Agent | undefined;
  /** Takes what was written, before the watch tells it. */
  readonly learn: (written: Intercept, before: Intercept) => void;
}

export class InterceptControl implements AsyncDisposable {
  readonly agents: ConnectedAgents;
  readonly #options: ControlOptions;
  readonly #ledger: SessionLedger;
  readonly #leases: SessionLeases;
  readonly #intercepts: ObjectBook<Intercept>;
  readonly #agents: ObjectBook<Agent>;
  readonly #workloads = new Map<string, WorkloadControl>();
  /** By session: whether its laptop is there, and which copy of the manager has it. */
  readonly #presence = new Map<string, string>();
  readonly #startedAt: number;
  readonly #ending = new Set<Promise<void>>();
  #callOff: () => void;
  #isClosed = false;

  /** Starts to watch. */
  constructor(options: ControlOptions) {
    this.#options = options;
    const { api, self, clock, wallNow, goneMs } = options;
    this.#startedAt = clock.now();
    this.agents = new ConnectedAgents((workload) =>
      this.#workloads.get(workload)?.wake()
    );
    this.#ledger = new SessionLedger({ clock, wallNow, goneMs });
    this.#leases = new SessionLeases({
      ...{ api, ledger: this.#ledger, self, clock, wallNow },
    });
    this.#agents = new ObjectBook<Agent>({
      resource: agents,
      watch: (options) => api.watch(agents, options),
      isOwn: ({ spec }) => spec.manager === self.namespace,
      onChange: (change) => this.#onAgent(change),
      onKnown: () => this.#onKnown(),
      clock,
    });
    this.#intercepts = new ObjectBook<Intercept>({
      resource: intercepts,
      watch: (options) => api.watch(intercepts, options),
      isOwn: ({ spec }) => spec.manager === self.namespace,
      onChange: (change) => this.#onIntercept(change),
      onKnown: () => this.#onKnown(),
      clock,
    });
    this.#callOff = clock.after(tickMs, () => this.#tick());
  }

  /** False before it is known what is intercepted. */
  get isKnown(): boolean {
    return this.#isKnown();
  }

  /** The rules of a workload, as {@link workloadKey} names it, that has an Agent object. */
  rulesOf(workload: string): Feed<readonly Rule[]> {
    return this.#workloads.get(workload)!.rules;
  }

  findIntercept(uid: string): Intercept | undefined {
    return this.#intercepts.findByUid(uid);
  }

  /** The owners of a session's intercepts, each once. */
  ownersOf(thumbprint: string): string[] {
    const own = this.#living().filter(({ spec }) =>
      spec.session === thumbprint
    );
    return [...new Set(own.map(({ spec }) => spec.owner))];
  }

  isPresent({ spec }: Intercept): boolean {
    return this.#ledger.presenceOf(sessionLabelOf(spec.session)) === "here";
  }

  /** True when agents are told its rule. */
  isInForce(intercept: Intercept): boolean {
    const rules = this.#workloads.get(keyOf(intercept))?.rules.value ?? [];
    return rules.some(({ id }) => id === intercept.metadata.uid);
  }

  /** False for a pod of an intercepted workload that is being deleted, or is gone. */
  isStaying({ uid, workload }: Pick<ProvenPod, "uid" | "workload">): boolean {
    return this.#workloads.get(workload)?.pods.isStaying(uid) ?? true;
  }

  /** The first address of a pod of an intercepted workload, once the API server knows it. */
  ipOf({ uid, workload }: Pick<ProvenPod, "uid" | "workload">) {
    return this.#workloads.get(workload)?.pods.ipOf(uid);
  }

  findAgent({ namespace, workload }: {
    namespace: string;
    workload: Pick<WorkloadRef, "kind" | "name">;
  }): Agent | undefined {
    return this.#agentOf(workloadKey(namespace, workload));
  }

  /** The Agent object of the workload that a pod says it is of; the webhook asks. */
  agentOfPod(pod: Pod, namespace: string): Agent | undefined {
    const workload = workloadNamedBy(pod);
    return workload && this.findAgent({ namespace, workload });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#callOff();
    await this.#intercepts[Symbol.asyncDispose]();
    await this.#agents[Symbol.asyncDispose]();
    await this.#leases[Symbol.asyncDispose]();
    const workloads = [...this.#workloads.values()];
    await Promise.all(workloads.map((one) => one[Symbol.asyncDispose]()));
    await Promise.all(this.#ending);
  }

  #isKnown(): boolean {
    const { clock } = this.#options;
    const areLeasesKnown = this.#leases.isKnown ||
      clock.now() - this.#startedAt > leasesMs;
    return this.#intercepts.isKnown && this.#agents.isKnown && areLeasesKnown;
  }

  #agentOf(workload: string): Agent | undefined {
    const [namespace = "", name = ""] = workload.split("/");
    return this.#agents.find({ namespace, name });
  }

  #interceptsOf(workload: string): Intercept[] {
    return this.#living().filter((one) => keyOf(one) === workload);
  }

  #living(): Intercept[] {
    return [...this.#intercepts.objects].filter(({ metadata }) =>
      metadata.deletionTimestamp === undefined
    );
  }

  #onIntercept({ now, before }: { now?: Intercept; before?: Intercept }): void {
    const { metadata, spec } = (now ?? before)!;
    const namespace = metadata.namespace!;
    const session = sessionLabelOf(spec.session);
    if (now && !before) {
      this.#ledger.seeIntercept(session, metadata.creationTimestamp!);
      this.#renew(spec.session);
    }
    this.#workload({ namespace, workload: spec.workload }).wake();
    if (now !== undefined) return;
    this.#options.onGone(metadata.uid!);
    const others = this.#living().map(({ spec }) => spec.session);
    if (others.includes(spec.session)) return;
    this.#presence.delete(session);
    this.#leases.drop(spec.session, others);
  }

  #onAgent({ now, before }: { now?: Agent; before?: Agent }): void {
    const { metadata, spec } = (now ?? before)!;
    const namespace = metadata.namespace!;
    const control = this.#workload({ namespace, workload: spec.workload });
    if (now === undefined) control.remove();
    else control.wake();
  }

  #onKnown(): void {
    for (const control of this.#workloads.values()) control.wake();
    if (this.#intercepts.isKnown && this.#agents.isKnown) {
      this.#background(() => this.#takeOffOrphans());
    }
  }

  /** Agents whose object was deleted while nobody watched. */
  async #takeOffOrphans(): Promise<void> {
    const { api, self } = this.#options;
    const pods = await api.list(resources.pods, {
      labelSelector: `${agentLabel}=true`,
    });
    for (const pod of pods) {
      const { namespace = "", annotations = {} } = pod.metadata;
      if (annotations[managerAnnotation] !== self.namespace) continue;
      const named = workloadNamedBy(pod);
      const workload = named && workloadRefOf(named);
      if (!workload || this.findAgent({ namespace, workload })) continue;
      const name = agentObjectName(workload);
      if (await api.find(agents, { namespace, name })) continue;
      this.#workload({ namespace, workload }).remove();
    }
  }

  #workload(place: WorkloadPlace): WorkloadControl {
    const key = workloadKey(place.namespace, place.workload);
    const known = this.#workloads.get(key);
    if (known !== undefined) return known;
    const { api, self, revisionOf, lineOf, tryWebhook, clock, wallNow } =
      this.#options;
    const parts: ControlParts = {
      ...{ api, self, revisionOf, lineOf, tryWebhook, clock, wallNow },
      ...{ ledger: this.#ledger, agents: this.agents },
      isKnown: () => this.#isKnown(),
      interceptsOf: (workload) => this.#interceptsOf(workload),
      agentOf: (workload) => this.#agentOf(workload),
      learn: (written, before) => this.#intercepts.learn(written, before),
    };
    const control = new WorkloadControl(parts, place, key);
    this.#workloads.set(key, control);
    return control;
  }

  #tick(): void {
    if (this.#isClosed) return;
    this.#callOff = this.#options.clock.after(tickMs, () => this.#tick());
    if (!this.#isKnown()) return;
    const living = this.#living();
    const thumbprints = new Set(living.map(({ spec }) => spec.session));
    for (const thumbprint of thumbprints) this.#lookAfter(thumbprint, living);
    for (const [key, control] of this.#workloads) {
      if (!control.isIdle) continue;
      this.#workloads.delete(key);
      this.#background(() => control[Symbol.asyncDispose]());
    }
  }

  #lookAfter(thumbprint: string, living: readonly Intercept[]): void {
    this.#renew(thumbprint);
    const session = sessionLabelOf(thumbprint);
    const presence = this.#ledger.presenceOf(session);
    const holder = this.#ledger.holderOf(session) ?? "";
    const seen = `${presence} ${holder}`;
    if (this.#presence.get(session) === seen) return;
    this.#presence.set(session, seen);
    log.info("a laptop with intercepts", { thumbprint, presence, holder });
    const own = living.filter(({ spec }) => spec.session === thumbprint);
    for (const one of own) {
      this.#workloads.get(keyOf(one))?.wake();
      if (presence !== "gone") continue;
      this.#background(() =>
        this.#delete(one).catch((error) => {
          // The next look tries it again.
          this.#presence.delete(session);
          throw error;
        })
      );
    }
  }

  #renew(thumbprint: string): void {
    const isHere = this.#options.laptops.find(thumbprint) !== undefined;
    if (isHere) this.#leases.renew(thumbprint);
  }

  async #delete({ metadata }: Intercept): Promise<void> {
    const { namespace = "", name = "", uid } = metadata;
    log.info("the laptop does not come back", { namespace, intercept: name });
    await this.#options.api.delete(intercepts, { namespace, name }, {
      ...uid ? { uid } : {},
    });
  }

  #background(work: () => Promise<void>): void {
    const done = work().catch((error) =>
      log.warn("a part of the intercepts' work failed", { error })
    ).finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }
}

function keyOf({ metadata, spec }: Intercept): string {
  return workloadKey(metadata.namespace!, spec.workload);
}
