/** What is to be done about what is declared, given what there is. Pure. */
import type { OwnIntercept } from "../../connector/api.ts";
import type { DeclaredAttachment } from "./attachment.ts";
import { type Drift, driftOf } from "./drift.ts";

export interface ApplyStep extends DeclaredAttachment {
  readonly action: "create" | "keep" | "re-create";
  /** Why it is re-created. */
  readonly drift: readonly Drift[];
  readonly present?: OwnIntercept;
  /** Later ones, to be re-created, that have to end before this one can have its ports of the laptop. */
  readonly yielding: readonly string[];
}

export interface ApplyPlan {
  /** In the order of the file. */
  readonly steps: readonly ApplyStep[];
  /** Names of intercepts that belong to a running command, so that they cannot be had. */
  readonly held: readonly string[];
}

export interface World {
  /** All of this connection's. Those that are not declared are left alone. */
  readonly present: readonly OwnIntercept[];
  /** The connection's. */
  readonly namespace: string;
}

export function planApply(
  declared: readonly DeclaredAttachment[],
  { present, namespace }: World,
): ApplyPlan {
  const found = new Map(present.map((one) => [one.request.name, one]));
  const alone = declared.map((one): ApplyStep => {
    const own = found.get(one.request.name);
    const step = { ...one, drift: [], yielding: [] };
    if (own === undefined) return { ...step, action: "create" };
    const drift = driftOf(one.request, own, namespace);
    const action = drift.length === 0 ? "keep" : "re-create";
    return { ...step, action, drift, present: own };
  });
  const steps = alone.map((step, i) => ({
    ...step,
    yielding: step.action === "keep" ? [] : alone.slice(i + 1)
      .filter((later) => isInTheWay(later, step))
      .map(({ request }) => request.name),
  }));
  const held = steps.filter(({ present }) => present?.request.isHeld)
    .map(({ request }) => request.name);
  return { steps, held };
}

function isInTheWay(later: ApplyStep, { request }: ApplyStep): boolean {
  if (later.action !== "re-create") return false;
  const taken = (later.present?.info.ports ?? []).map((one) => one.target_port);
  return request.ports.some(({ laptop }) =>
    laptop !== undefined && taken.includes(laptop)
  );
}

export interface DeleteStep extends DeclaredAttachment {
  readonly action: "remove" | "none";
}

export interface DeletePlan {
  /** In the reverse order of the file. */
  readonly steps: readonly DeleteStep[];
  /** Names of those that are not declared. */
  readonly others: readonly string[];
}

export function planDelete(
  declared: readonly DeclaredAttachment[],
  present: readonly OwnIntercept[],
): DeletePlan {
  const names = new Set(present.map(({ request }) => request.name));
  const steps = declared.toReversed().map((one): DeleteStep => ({
    ...one,
    action: names.delete(one.request.name) ? "remove" : "none",
  }));
  return { steps, others: [...names] };
}
