/**
 * What is done for one workload while it has intercepts, again whenever something of it changes.
 *
 * 1. Those whose laptops are there are put in order; the rules of those that win are told to the agents at once.
 * 2. The workload's Agent object is made, or made to say what they need.
 * 3. Its pods are replaced, once.
 * 4. What became of each intercept is written into its status.
 *
 * A rollout that fails is taken back, and who waited for it has failed for ever. When the Agent object was deleted, the
 * agents are taken off, and the intercepts have failed.
 */
import { logger } from "../../log.ts";
import type { Rule } from "../agent_api.ts";
import { type Agent, agentObjectName } from "../agent_object.ts";
import { Feed } from "../feed.ts";
import { type Intercept, sessionLabelOf } from "../intercept.ts";
import { agents as agentResource } from "../own_resources.ts";
import { AgentKeeper, isUnderWay, isUnsettled } from "./agent_keeper.ts";
import type { ControlParts } from "./control.ts";
import { failed, going, gone, type Progress } from "./phase.ts";
import type { PodFacts } from "./pod_facts.ts";
import { precedenceOf } from "./precedence.ts";
import { Rollout } from "./rollout.ts";
import { Rounds } from "./rounds.ts";
import { rulesOf } from "./rule.ts";
import { removeAgent, type WorkloadPlace } from "./rollout_effects.ts";
import { isAsWanted } from "./rollout_step.ts";
import { StatusWriter } from "./status_writer.ts";
import {
  type AppWorkload,
  formatWorkload,
  whyNoPods,
  whyUnsupported,
  workloadResource,
} from "./workload_kind.ts";
import { WorkloadPods } from "./workload_pods.ts";

const log = logger("manager");

/** While something is to come, it is looked at so often. */
const tickMs = 1_000;

/** Intercepts of the workload that have not failed. */
interface Wanted {
  readonly living: readonly Intercept[];
  /** Without those that others keep from the traffic. */
  readonly wanting: readonly Intercept[];
  /** In the order of their rules. */
  readonly inForce: readonly Intercept[];
}

export class WorkloadControl implements AsyncDisposable {
  /** Without a value before all is known: agents keep what another copy of the manager told. */
  readonly rules = new Feed<readonly Rule[]>();
  readonly pods: WorkloadPods;
  readonly #parts: ControlParts;
  readonly #place: WorkloadPlace;
  readonly #key: string;
  readonly #keeper: AgentKeeper;
  readonly #writer: StatusWriter;
  readonly #closed = new AbortController();
  readonly #rounds: Rounds;
  #toldRules = "";
  #workload: AppWorkload | undefined;
  #rollout: Rollout | undefined;
  /** The Agent object was deleted. */
  #isRemoved = false;
  #removal: AbortController | undefined;
  #isIdle = false;

  constructor(parts: ControlParts, place: WorkloadPlace, key: string) {
    this.#parts = parts;
    this.#place = place;
    this.#key = key;
    this.#keeper = new AgentKeeper(parts.api, {
      ...{ ...place, manager: parts.self.namespace, lineOf: parts.lineOf },
    });
    this.#writer = new StatusWriter(parts);
    const { api, clock } = parts;
    const onChange = () => this.wake();
    this.pods = new WorkloadPods({ api, place, onChange, clock });
    this.#rounds = new Rounds({
      look: () => this.#look(),
      onTrouble: (error) =>
        log.warn("a workload's intercepts wait", { workload: key, error }),
      ...{ tickMs, clock },
    });
  }

  /** True when nothing is left to be done, and nothing is of the workload. */
  get isIdle(): boolean {
    return this.#isIdle && !this.#rounds.isWoken;
  }

  /** Something of the workload has changed. */
  wake(): void {
    // Another copy of the manager has made the object again.
    if (this.#parts.agentOf(this.#key)) this.#removal?.abort();
    this.#rounds.wake();
  }

  /** The Agent object is gone: agents are to go as well. */
  remove(): void {
    this.#isRemoved = true;
    this.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#removal?.abort();
    await this.#rounds[Symbol.asyncDispose]();
    await this.#unfollow();
  }

  /** Resolves to whether nothing is to be done before something changes. */
  async #look(): Promise<boolean> {
    const parts = this.#parts;
    if (!parts.isKnown()) return false;
    const all = parts.interceptsOf(this.#key);
    const living = all.filter(({ status }) => status?.phase !== "Failed");
    const here = living.filter((one) => presenceOf(parts, one) === "here");
    const { inForce, conflicts } = precedenceOf(here);
    this.#tellRules(inForce);
    const agent = parts.agentOf(this.#key);
    const wanting = living.filter(({ metadata: { uid } }) =>
      !conflicts.has(uid!)
    );
    const progress = await this.#advance(agent, { living, wanting, inForce });
    const isSettled = await this.#writer.write(living, {
      ...{ progress, conflicts, pods: this.pods.facts ?? [] },
      standIns: here.length === living.length
        ? new Map()
        : precedenceOf(living).conflicts,
    });
    const isNew = living.some(({ status }) => status?.phase !== "Active");
    if (progress.kind === "failed" && agent && isNew) {
      await this.#keeper.takeBack(agent);
    }
    if (progress.kind === "done" && agent && this.#rollout) {
      await this.#keeper.settle(agent);
    }
    this.#isIdle = living.length === 0 && agent === undefined &&
      !this.#isRemoved;
    return isSettled && progress.kind !== "going";
  }

  #tellRules(inForce: readonly Intercept[]): void {
    const { ledger } = this.#parts;
    const rules = inForce.flatMap((one) => rulesOf(one, ledger));
    const text = JSON.stringify(rules);
    if (text === this.#toldRules) return;
    this.#toldRules = text;
    this.rules.set(rules);
  }

  async #advance(
    agent: Agent | undefined,
    intercepts: Wanted,
  ): Promise<Progress> {
    const { living } = intercepts;
    if (agent === undefined && this.#isRemoved) {
      return await this.#takeOff(living);
    }
    this.#isRemoved = false;
    if (living.length === 0 && !isUnderWay(agent)) {
      await this.#unfollow();
      return { kind: "done" };
    }
    const resource = workloadResource(this.#place.workload);
    if (resource === undefined || !this.#isAsItShallBe(agent)) {
      this.#workload = resource && await this.#parts.api.find(resource, {
        namespace: this.#place.namespace,
        name: this.#place.workload.name,
      });
    }
    return await this.#bring(agent, intercepts);
  }

  /** True when nothing need be looked up: the pods that are there have the agent that was last looked at. */
  #isAsItShallBe(agent: Agent | undefined): boolean {
    const revision = this.#rollout?.revision;
    const { facts } = this.pods;
    if (!agent || !revision || !this.#workload || !facts) return false;
    const staying = facts.filter(({ isLeaving }) => !isLeaving);
    return staying.some(({ isReady }) => isReady) &&
      staying.every((pod) => pod.isReady && isAsWanted(pod, revision));
  }

  async #bring(
    agent: Agent | undefined,
    intercepts: Wanted,
  ): Promise<Progress> {
    const { living, wanting, inForce } = intercepts;
    const { workload: ref } = this.#place;
    const workload = this.#workload;
    const who = formatWorkload(ref);
    if (workload === undefined) {
      return workloadResource(ref)
        ? gone(`there is no ${who}`)
        : failed(`${who} is of a kind whose pods cannot be intercepted`);
    }
    const why = whyUnsupported(ref, workload);
    if (why !== undefined) return failed(why);
    this.pods.follow(workload);
    if (this.pods.facts === undefined) {
      return going("its pods are being looked at");
    }
    const none = whyNoPods(ref, workload);
    if (none !== undefined) return failed(none);
    const { uid } = workload.metadata;
    if (agent !== undefined && agent.spec.workload.uid !== uid) {
      return going("the agents of a former workload of its name are going");
    }
    if (agent === undefined && living.some(hasBeenSeen)) {
      if (await this.#hasNoAgent()) return gone(`the agent of ${who} is gone`);
      return going("its agent is being looked at");
    }
    const kept = await this.#keeper.keep(agent, {
      workload,
      intercepts: wanting.map(({ spec }) => spec),
      inForce: inForce.map(({ spec }) => spec),
    });
    const { manager } = kept.spec;
    if (manager !== this.#parts.self.namespace) {
      return failed(`${who} has agents of the manager in "${manager}"`, {
        reason: "OtherManager",
        details: [
          `\`tp uninstall ${ref.name} --namespace ${this.#place.namespace} ` +
          `--manager-namespace ${manager}\` removes them, and its intercepts there`,
        ],
      });
    }
    // What was written is looked at when it is told.
    if (kept !== agent) return going("agents are on their way");
    return await this.#roll(kept, { workload, living });
  }

  async #roll(
    agent: Agent,
    { workload, living }: {
      workload: AppWorkload;
      living: readonly Intercept[];
    },
  ): Promise<Progress> {
    const { revisionOf, tryWebhook, agents, api, clock, wallNow } = this.#parts;
    const revision = await revisionOf(agent.spec);
    const pods = this.#podsAs(revision, { agent, living });
    if (this.#rollout?.revision !== revision) {
      this.#rollout = new Rollout({
        ...{ ...this.#place, api, revision, pods, tryWebhook, clock, wallNow },
      });
    }
    const answered = agents.of(this.#key).filter(({ follows }) => follows);
    const progress = await this.#rollout.advance({
      ...{ workload, pods, answered: answered.length },
    });
    const waitsFor = progress.kind === "going"
      ? progress.message
      : "the agents do not answer";
    if (progress.kind === "done" && this.#writer.isSettled) {
      this.#rollout.rest();
      return progress;
    }
    const still = this.#rollout.whyStill(waitsFor);
    return still === undefined ? progress : failed(still);
  }

  /** While nobody waits for it, an agent that another release of the manager made is as good as its own. */
  #podsAs(
    revision: string,
    { agent, living }: { agent: Agent; living: readonly Intercept[] },
  ): readonly PodFacts[] {
    const pods = this.pods.facts!;
    const isWaitedFor = isUnsettled(agent) ||
      living.some(({ status }) => status?.phase !== "Active");
    return isWaitedFor
      ? pods
      : pods.map((pod) => pod.hasAgent ? { ...pod, revision } : pod);
  }

  /** Takes the agents off, unless the object comes again meanwhile. */
  async #takeOff(living: readonly Intercept[]): Promise<Progress> {
    const { api, clock } = this.#parts;
    const { workload } = this.#place;
    const former = living.filter(({ status }) => status !== undefined);
    await this.#writer.write(former, {
      progress: gone(`the agent of ${formatWorkload(workload)} was removed`),
      ...{ conflicts: new Map(), standIns: new Map(), pods: [] },
    });
    await this.#unfollow();
    const { signal } = this.#removal = new AbortController();
    if (this.#closed.signal.aborted) return going("the manager is leaving");
    log.info("agents are taken off", { workload: this.#key });
    try {
      await removeAgent(api, { ...this.#place, signal, clock });
    } catch (error) {
      if (signal.aborted) return going("agents are wanted again");
      throw error;
    }
    this.#isRemoved = false;
    log.info("agents are off", { workload: this.#key });
    // Who came meanwhile is looked at again.
    this.wake();
    return going("the former agents are gone");
  }

  async #hasNoAgent(): Promise<boolean> {
    const { namespace, workload } = this.#place;
    const name = agentObjectName(workload);
    const found = await this.#parts.api.find(agentResource, {
      ...{ namespace, name },
    });
    return found === undefined;
  }

  async #unfollow(): Promise<void> {
    this.#rollout = undefined;
    await this.pods.unfollow();
  }
}

function presenceOf({ ledger }: ControlParts, { spec }: Intercept) {
  return ledger.presenceOf(sessionLabelOf(spec.session));
}

/** The Agent object was there when this was written. */
function hasBeenSeen({ status }: Intercept): boolean {
  return status?.phase === "Active" || status?.phase === "Away";
}
