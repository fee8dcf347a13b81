import { isApiError } from "../../k8s/mod.ts";
import {
  type Intercept,
  type InterceptStatus,
  sessionLabelOf,
} from "../intercept.ts";
import { intercepts as interceptResource } from "../own_resources.ts";
import type { ControlParts } from "./control.ts";
import { tellPhase } from "./intercept_events.ts";
import { isSaid, type Progress, statusOf } from "./phase.ts";
import type { PodFacts } from "./pod_facts.ts";
import type { Presence } from "./session_ledger.ts";

/** Longer words of the cluster are cut: the object has its bounds. */
const maxMessageLength = 1_000;

export interface StatusFacts {
  progress: Progress;
  /** By UID. */
  conflicts: ReadonlyMap<string, string>;
  /** By UID: what would be their conflicts, were all laptops there. */
  standIns: ReadonlyMap<string, string>;
  /** All of the workload. */
  pods: readonly PodFacts[];
}

/** Writes what became of a workload's intercepts. */
export class StatusWriter {
  readonly #parts: ControlParts;
  #isSettled = true;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Whether none was waiting at the last write. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Resolves to {@link StatusWriter.isSettled}. */
  async write(
    intercepts: readonly Intercept[],
    facts: StatusFacts,
  ): Promise<boolean> {
    let isSettled = true;
    for (const one of intercepts) {
      isSettled = await this.#writeOne(one, facts) && isSettled;
    }
    return this.#isSettled = isSettled;
  }

  async #writeOne(
    intercept: Intercept,
    { progress, conflicts, standIns, pods }: StatusFacts,
  ): Promise<boolean> {
    const { api, ledger, self, learn } = this.#parts;
    const { metadata: { namespace = "", name = "", uid = "" }, spec } =
      intercept;
    const session = sessionLabelOf(spec.session);
    const presence = ledger.presenceOf(session);
    const manager = ledger.holderOf(session) ?? intercept.status?.manager;
    const staying = pods.filter(({ isLeaving }) => !isLeaving);
    const ready = staying.filter(({ isReady }) => isReady);
    const having = ready.filter((pod) => this.#has(pod, intercept));
    const status = cut(statusOf({
      ...{ intercept, presence, progress, manager },
      conflict: conflicts.get(uid),
      standsInFor: standIns.get(uid),
      pods: { ready: having.length, wanted: staying.length },
      isAnswered: ready.length > 0 && having.length === ready.length,
    }));
    const isWaiting = status.phase === "Waiting";
    if (isSaid(intercept.status, status)) return !isWaiting;
    if (!isOwn({ presence, manager, pod: self.pod })) return !isWaiting;
    // What is absent is to be removed (RFC 7396).
    const changes = {
      status: { reason: null, message: null, details: null, ...status },
    };
    const ref = { namespace, name, subresource: "status" };
    try {
      const written = await api.patch(interceptResource, { ...ref, changes });
      learn(written, intercept);
      await tellPhase(api, { intercept, status, pod: self.pod });
    } catch (error) {
      // It was deleted meanwhile.
      if (!isApiError(error, "NotFound")) throw error;
    }
    return !isWaiting;
  }

  /** Whether the pod's agent does as the intercept says; of one without traffic: whether it is there. */
  #has(pod: PodFacts, { metadata, spec }: Intercept): boolean {
    const agent = this.#parts.agents.ofPod(pod.uid);
    if (spec.mode === "ingest") return agent !== undefined;
    return agent?.follows?.has(metadata.uid!) === true;
  }
}

function cut(
  { message, details, ...status }: InterceptStatus,
): InterceptStatus {
  const short = (text: string) => text.slice(0, maxMessageLength);
  return {
    ...status,
    ...message === undefined ? {} : { message: short(message) },
    ...details === undefined ? {} : { details: details.map(short) },
  };
}

/** The copy that has the laptop writes; where none has it, any does: they write the same. */
function isOwn({ presence, manager, pod }: {
  presence: Presence;
  manager: string | undefined;
  pod: string;
}): boolean {
  return manager === undefined || manager === pod || presence !== "here";
}
