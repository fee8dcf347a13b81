import { resources } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import {
  apiVersion,
  type Intercept,
  type InterceptPhase,
  type InterceptStatus,
} from "../intercept.ts";
import type { ClusterApi } from "./cluster_api.ts";

const log = logger("manager");

/** What is worth an event when it begins. */
const told: ReadonlySet<InterceptPhase> = new Set([
  "Active",
  "Away",
  "Conflict",
  "Failed",
]);

/** Tells who looks at the intercept (`kubectl describe`) that its phase changed. Never rejects: it may be missing. */
export async function tellPhase(
  api: Pick<ClusterApi, "create">,
  { intercept, status, pod }: {
    intercept: Intercept;
    status: InterceptStatus;
    /** Of this copy of the manager. */
    pod: string;
  },
): Promise<void> {
  const { phase, message = "Traffic goes to the laptop" } = status;
  if (intercept.status?.phase === phase || !told.has(phase)) return;
  const { namespace = "", name = "", uid, resourceVersion } =
    intercept.metadata;
  const now = new Date().toISOString().replace(/\.\d+/, "");
  try {
    await api.create(
      resources.events,
      {
        metadata: { namespace, generateName: `${name.slice(0, 200)}.` },
        involvedObject: {
          ...{ apiVersion, kind: "Intercept", namespace, name },
          ...{ uid, resourceVersion },
        },
        ...{ reason: phase, message, type: typeOf(phase) },
        ...{ firstTimestamp: now, lastTimestamp: now, count: 1 },
        ...{ source: { component: "traffic-manager", host: pod } },
      } as Parameters<typeof api.create>[1] as never,
    );
  } catch (error) {
    log.debug("an event was not written", { error });
  }
}

function typeOf(phase: InterceptPhase): "Normal" | "Warning" {
  return phase === "Active" ? "Normal" : "Warning";
}
