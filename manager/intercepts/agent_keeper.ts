/**
 * Keeps the Agent object of one workload.
 *
 * 1. It is made for the first intercept, and says more when one needs more than it says.
 * 2. What it said before stands in an annotation until the pods have come, so that any copy of the manager can take a
 *    rollout back that fails.
 */
import {
  isApiError,
  type KubernetesObject,
  type Pod,
  resources,
} from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import {
  type Agent,
  agentObjectName,
  type AgentSpec,
} from "../agent_object.ts";
import { apiVersion, type InterceptSpec } from "../intercept.ts";
import { agents } from "../own_resources.ts";
import { planAgent, replacedBy, suffices } from "./agent_plan.ts";
import type { ClusterApi } from "./cluster_api.ts";
import type { WorkloadPlace } from "./rollout_effects.ts";
import { type AppWorkload, formatSelector } from "./workload_kind.ts";

const log = logger("manager");

/** JSON of what the object said before its pods began to be replaced; empty: there was none. */
export const formerSpecAnnotation = "tp.dev/former-spec";

export interface AgentKeeperOptions extends WorkloadPlace {
  /** Namespace of this manager. */
  manager: string;
  /** Of its authorities; `undefined` while they are not known. */
  lineOf: () => Pick<AgentSpec, "line"> | undefined;
}

export class AgentKeeper {
  readonly #api: ClusterApi;
  readonly #place: WorkloadPlace;
  readonly #manager: string;
  readonly #lineOf: AgentKeeperOptions["lineOf"];

  constructor(
    api: ClusterApi,
    { manager, lineOf, ...place }: AgentKeeperOptions,
  ) {
    this.#api = api;
    this.#place = place;
    this.#manager = manager;
    this.#lineOf = lineOf;
  }

  /** The object as these intercepts need it: made or changed when it is not so. It may turn out to be another manager's. */
  async keep(
    present: Agent | undefined,
    { workload, intercepts, inForce }: {
      workload: AppWorkload;
      intercepts: readonly InterceptSpec[];
      inForce: readonly InterceptSpec[];
    },
  ): Promise<Agent> {
    const replaced = replacedBy(inForce);
    // An agent that is there is taken for a good one as long as nothing is known.
    const { line } = this.#lineOf() ?? present?.spec ?? {};
    if (present && suffices(present.spec, { intercepts, replaced, line })) {
      return present;
    }
    const { namespace, workload: ref } = this.#place;
    const [services, pods] = await Promise.all([
      this.#api.list(resources.services, { namespace }),
      this.#api.list(resources.pods, {
        ...{ namespace, labelSelector: formatSelector(workload) },
      }),
    ]);
    const spec = planAgent({
      ...{ manager: this.#manager, line, ref, workload, services },
      ...{ intercepts, replaced },
      pods: pods.filter(isRunning),
      present: present?.spec,
    });
    return present === undefined
      ? await this.#create(spec)
      : await this.#change(present, spec);
  }

  /** To be called when all pods are as the object says: there is nothing to take back. */
  async settle(agent: Agent): Promise<void> {
    if (!isUnsettled(agent)) return;
    const annotations = { [formerSpecAnnotation]: null };
    await this.#patch(agent, { metadata: { annotations } });
  }

  /** Makes the object what it was before pods began to be replaced. Resolves to false when they have come once. */
  async takeBack(agent: Agent): Promise<boolean> {
    const former = agent.metadata.annotations?.[formerSpecAnnotation];
    if (former === undefined) return false;
    const { namespace } = this.#place;
    const { name = "", uid } = agent.metadata;
    log.warn("a rollout is taken back", { namespace, agent: name });
    if (former === "") {
      await this.#api.delete(agents, {
        ...{ namespace, name },
      }, uid ? { uid } : {});
      return true;
    }
    const annotations = { [formerSpecAnnotation]: null };
    const spec: AgentSpec = JSON.parse(former);
    await this.#patch(agent, {
      metadata: { annotations },
      spec: mergeable(spec, agent.spec),
    });
    return true;
  }

  async #create(spec: AgentSpec): Promise<Agent> {
    const { namespace, workload: { apiVersion: ownersVersion, kind, name } } =
      this.#place;
    const objectName = agentObjectName({ kind, name });
    const owner = { apiVersion: ownersVersion, kind, name };
    log.info("a workload gets agents", { namespace, agent: objectName });
    try {
      return await this.#api.create(agents, {
        apiVersion,
        kind: agents.kind,
        metadata: {
          ...{ namespace, name: objectName },
          annotations: { [formerSpecAnnotation]: "" },
          // It goes with the workload.
          ownerReferences: [{ ...owner, uid: spec.workload.uid }],
        },
        spec,
      });
    } catch (error) {
      // Another copy of the manager was faster.
      const found = isApiError(error, "AlreadyExists") &&
        await this.#api.find(agents, { namespace, name: objectName });
      if (found) return found;
      throw error;
    }
  }

  async #change(agent: Agent, spec: AgentSpec): Promise<Agent> {
    const { namespace } = this.#place;
    log.info("agents change", { namespace, agent: agent.metadata.name });
    const former = agent.metadata.annotations?.[formerSpecAnnotation] ??
      JSON.stringify(agent.spec);
    return await this.#patch(agent, {
      metadata: { annotations: { [formerSpecAnnotation]: former } },
      spec: mergeable(spec, agent.spec),
    });
  }

  /** @throws {ApiError} `Conflict` when the object is another one meanwhile. */
  async #patch(
    { metadata: { name = "", resourceVersion } }: KubernetesObject,
    changes: { metadata: Record<string, unknown>; spec?: unknown },
  ): Promise<Agent> {
    const { namespace } = this.#place;
    return await this.#api.patch(agents, {
      ...{ namespace, name },
      changes: {
        ...changes,
        metadata: { ...changes.metadata, resourceVersion },
      },
    });
  }
}

/** As a merge patch: what is not there any more is to be removed (RFC 7396). */
function mergeable(spec: AgentSpec, present: AgentSpec) {
  const gone = Object.keys(present.users).filter((one) => !spec.users[one]);
  const removed = Object.fromEntries(gone.map((name) => [name, null]));
  const { line = null } = spec;
  return { ...spec, line, users: { ...spec.users, ...removed } };
}

function isRunning({ status }: Pod): boolean {
  return status?.phase === "Running";
}

/** The pods have not all come since the object says what it says. */
export function isUnsettled({ metadata }: Agent): boolean {
  return metadata.annotations?.[formerSpecAnnotation] !== undefined;
}

/** Pods are being replaced, or are to be: a container that was replaced shall run again. */
export function isUnderWay(agent: Agent | undefined): boolean {
  return agent !== undefined &&
    (agent.spec.replaced.length > 0 || isUnsettled(agent));
}
