import type { Pod } from "../../k8s/mod.ts";
import type { Clock } from "../../net/mod.ts";
import {
  type Agent,
  agentObjectName,
  revisionAnnotation,
} from "../agent_object.ts";
import { agents } from "../own_resources.ts";
import { Purses } from "../purses.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { workloadNamedBy, workloadRefOf } from "./workload_kind.ts";

/** Questions to the API server, of each address: whoever is in the network can show a pod. */
const questions = { size: 64, perSecond: 1 };
/** RFC 1123, as objects are named: it becomes part of a path. */
const nameSyntax = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

/** Looks up the Agent objects that another copy of the manager has made just now, and this one does not know yet. */
export class AgentSearch {
  readonly #api: Pick<ClusterApi, "find">;
  readonly #manager: string;
  readonly #questions: Purses;

  /** @param options.manager Namespace of this manager. */
  constructor(
    api: Pick<ClusterApi, "find">,
    { manager, clock }: { manager: string; clock: Clock },
  ) {
    this.#api = api;
    this.#manager = manager;
    this.#questions = new Purses(clock, questions);
  }

  /** The Agent object of the workload that a pod says it is of, if its template says that there is one. */
  async find(
    pod: Pod,
    { namespace, from }: { namespace: string; from: string },
  ): Promise<Agent | undefined> {
    const { [revisionAnnotation]: revision } = pod.metadata.annotations ?? {};
    const named = workloadNamedBy(pod);
    const workload = named && workloadRefOf(named);
    if (!workload || revision === undefined) return undefined;
    const name = agentObjectName(workload);
    if (!nameSyntax.test(name) || !this.#questions.pay(from, 1)) {
      return undefined;
    }
    const found = await this.#api.find(agents, { namespace, name });
    return found?.spec.manager === this.#manager ? found : undefined;
  }
}
