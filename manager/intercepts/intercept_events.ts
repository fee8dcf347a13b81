import { resources } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import {
  apiVersion,
  type Intercept,
  type InterceptPhase,
  type InterceptStatus,
} from "../intercept.ts";
import type { ProvenPod } from "./agent_proof.ts";
import type { ClusterApi } from "./cluster_api.ts";

const log = logger("manager");

/** Of what others say; an event's message may have 1024 characters. */
const maxMessageLength = 512;

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
  const type = phase === "Active" ? "Normal" : "Warning";
  const about = involved(intercept);
  await writeEvent(api, { about, reason: phase, message, type, pod });
}

/** Tells who looks at the intercept, or at the pod, that the app was given what is the laptop's. Never rejects. */
export async function tellRefusal(
  api: Pick<ClusterApi, "create">,
  { intercept, of, why, pod }: {
    intercept: Intercept;
    /** Whose app it was. */
    of: ProvenPod;
    why: string;
    /** Of this copy of the manager. */
    pod: string;
  },
): Promise<void> {
  const { name, client } = intercept.spec;
  const told = why.slice(0, maxMessageLength);
  const message = `The app has what the laptop ${client} did not take ` +
    `(intercept "${name}"): ${told}`;
  const event = { reason: "LaptopRefused", message, type: "Warning", pod };
  const { namespace, uid } = of;
  await writeEvent(api, { ...event, about: involved(intercept) });
  await writeEvent(api, {
    ...event,
    about: { apiVersion: "v1", kind: "Pod", namespace, name: of.name, uid },
  });
}

interface Involved {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

function involved({ metadata }: Intercept): Involved {
  const { namespace = "", name = "", uid, resourceVersion } = metadata;
  return {
    ...{ apiVersion, kind: "Intercept", namespace, name },
    ...{ uid, resourceVersion },
  };
}

async function writeEvent(
  api: Pick<ClusterApi, "create">,
  { about, reason, message, type, pod }: {
    about: Involved;
    reason: string;
    message: string;
    type: string;
    pod: string;
  },
): Promise<void> {
  const { namespace, name } = about;
  const now = new Date().toISOString().replace(/\.\d+/, "");
  try {
    await api.create(
      resources.events,
      {
        metadata: { namespace, generateName: `${name.slice(0, 200)}.` },
        involvedObject: about,
        ...{ reason, message, type },
        ...{ firstTimestamp: now, lastTimestamp: now, count: 1 },
        ...{ source: { component: "traffic-manager", host: pod } },
      } as Parameters<typeof api.create>[1] as never,
    );
  } catch (error) {
    log.debug("an event was not written", { error });
  }
}
