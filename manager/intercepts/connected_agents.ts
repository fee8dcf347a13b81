import type { Session } from "../../tunnel/mod.ts";
import type { ProvenPod } from "./agent_proof.ts";

/** An agent that has proven its pod, for as long as its session with this copy of the manager lives. */
export interface ConnectedAgent {
  readonly pod: ProvenPod;
  readonly session: Session;
  /** UIDs of the intercepts whose rules it follows; `undefined` before its first answer. */
  readonly follows: ReadonlySet<string> | undefined;
}

/** An agent comes by each address of this copy, and by those that lead to any copy: in IPv4 and IPv6. */
const maxSessions = 4;

export class ConnectedAgents {
  /** By the pod's UID and the session, the oldest session first. */
  readonly #pods = new Map<string, Map<Session, ConnectedAgent>>();
  readonly #onChange: (workload: string) => void;

  /** @param onChange Told the workload whose agents came, went or answered. */
  constructor(onChange: (workload: string) => void) {
    this.#onChange = onChange;
  }

  /** Holds an agent. Of a pod with more sessions than it has ways to come, the oldest is closed: it is dying. */
  put(agent: ConnectedAgent): void {
    const { pod, session } = agent;
    const sessions = this.#pods.get(pod.uid) ?? new Map();
    this.#pods.set(pod.uid, sessions.set(session, agent));
    if (sessions.size > maxSessions) {
      const [oldest] = sessions.keys();
      sessions.delete(oldest);
      oldest.close();
    }
    this.#onChange(pod.workload);
  }

  /** Takes what an agent answered. No effect for one that is not held. */
  answer(
    { uid }: ProvenPod,
    session: Session,
    follows: ReadonlySet<string>,
  ): void {
    const sessions = this.#pods.get(uid);
    const agent = sessions?.get(session);
    if (!sessions || !agent) return;
    sessions.set(session, { ...agent, follows });
    this.#onChange(agent.pod.workload);
  }

  /** To be called when the session has ended. */
  remove({ uid, workload }: ProvenPod, session: Session): void {
    const sessions = this.#pods.get(uid);
    if (!sessions?.delete(session)) return;
    if (sessions.size === 0) this.#pods.delete(uid);
    this.#onChange(workload);
  }

  /** By the last session of the pod that lives. */
  ofPod(uid: string): ConnectedAgent | undefined {
    return lastOf(this.#pods.get(uid));
  }

  /** Of a workload, the oldest pod first. */
  of(workload: string): ConnectedAgent[] {
    return [...this.#pods.values()].map((sessions) => lastOf(sessions)!)
      .filter(({ pod }) => pod.workload === workload)
      .toSorted((a, b) => ageKeyOf(a) < ageKeyOf(b) ? -1 : 1);
  }
}

function lastOf(
  sessions: ReadonlyMap<Session, ConnectedAgent> | undefined,
): ConnectedAgent | undefined {
  return [...sessions?.values() ?? []].at(-1);
}

function ageKeyOf({ pod }: ConnectedAgent): string {
  return `${pod.createdAt} ${pod.name}`;
}
