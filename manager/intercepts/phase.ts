/** What an intercept's status shall say. Pure. */
import type {
  Intercept,
  InterceptFailure,
  InterceptStatus,
} from "../intercept.ts";
import type { Presence } from "./session_ledger.ts";

/** How far the workload's pods are. */
export type Progress =
  /** They have the agent, as far as they are ready. */
  | { readonly kind: "done" }
  | { readonly kind: "going"; readonly message: string }
  | {
    readonly kind: "failed";
    readonly message: string;
    readonly details?: readonly string[];
    readonly reason?: InterceptFailure;
    /** Nobody has it any more, who had it included. */
    readonly isFinal?: boolean;
  };

export interface PhaseFacts {
  intercept: Intercept;
  presence: Presence;
  /** Why it has no traffic, as {@link precedenceOf} says. */
  conflict?: string | undefined;
  /** Who would have its traffic if his laptop were there, in the same words. */
  standsInFor?: string | undefined;
  progress: Progress;
  /** Pods that are to stay, and those of them that are ready and have the intercept. */
  pods: { readonly ready: number; readonly wanted: number };
  /** Whether there are ready pods, and the agents of all of them do as the intercept says. */
  isAnswered: boolean;
  /** The copy that has the laptop's session, where it is known. */
  manager?: string | undefined;
}

/**
 * Failed is for ever: the object is deleted and made anew to try again. Active stays while pods come and go; new ones are
 * given the rule before they serve.
 */
export function statusOf(facts: PhaseFacts): InterceptStatus {
  const { intercept, presence, conflict, standsInFor } = facts;
  const { progress, pods, manager, isAnswered } = facts;
  const { status } = intercept;
  if (status?.phase === "Failed") return status;
  const common = { ...manager ? { manager } : {}, pods };
  const since = status?.phase;
  if (progress.kind === "failed" && (progress.isFinal || !hadIt(since))) {
    const { message, details, reason } = progress;
    return {
      phase: "Failed",
      message,
      ...reason ? { reason } : {},
      ...details ? { details } : {},
      ...common,
    };
  }
  if (presence !== "here") {
    const message = `the laptop (${intercept.spec.client}) is away`;
    return { phase: "Away", message, ...common };
  }
  if (conflict !== undefined) {
    return { phase: "Conflict", message: conflict, ...common };
  }
  const isWhole = progress.kind === "done" && isAnswered;
  if (isWhole || since === "Active") {
    const message = `for as long as another is away: ${standsInFor}`;
    return {
      phase: "Active",
      ...standsInFor === undefined ? {} : { message },
      ...common,
    };
  }
  const message = progress.kind === "going"
    ? progress.message
    : `waiting for the agents of ${podsText(pods.wanted - pods.ready)}`;
  return { phase: "Waiting", message, ...common };
}

function hadIt(since: InterceptStatus["phase"] | undefined): boolean {
  return since === "Active" || since === "Away";
}

/** True when the object says so already; fields that are absent are those that shall be. */
export function isSaid(
  said: InterceptStatus | undefined,
  { phase, reason, message, details, manager, pods }: InterceptStatus,
): boolean {
  return said?.phase === phase && said.reason === reason &&
    said.message === message && said.manager === manager &&
    said.pods?.ready === pods?.ready &&
    said.pods?.wanted === pods?.wanted &&
    JSON.stringify(said.details) === JSON.stringify(details);
}

/** So many pods. */
export function podsText(count: number): string {
  return count === 1 ? "1 pod" : `${count} pods`;
}

export function going(message: string): Progress {
  return { kind: "going", message };
}

export function failed(
  message: string,
  { details = [], reason }: {
    details?: readonly string[];
    reason?: InterceptFailure;
  } = {},
): Progress {
  return {
    ...{ kind: "failed", message },
    ...details.length > 0 ? { details } : {},
    ...reason ? { reason } : {},
  };
}

/** For who had it, too. */
export function gone(message: string): Progress {
  return { kind: "failed", message, isFinal: true };
}
