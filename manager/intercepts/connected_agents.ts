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
  readonly #byPod = new Map<string, ConnectedAgent>();
  /** The sessions of each pod, the oldest first. */
  readonly #sessions = new Map<string, Set<Session>>();
  readonly #onChange: (workload: string) => void;

  /** @param onChange Told the workload whose agents came, went or answered. */
  constructor(onChange: (workload: string) => void) {
    this.#onChange = onChange;
  }

  /** The last session of a pod counts. With more than it has ways to come, the oldest is closed: it is dying. */
  put(agent: ConnectedAgent): void {
    this.#hold(agent);
    this.#byPod.set(agent.pod.uid, agent);
    this.#onChange(agent.pod.workload);
  }

  remove({ pod }: ConnectedAgent, session: Session): void {
    const sessions = this.#sessions.get(pod.uid);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(pod.uid);
    if (this.#byPod.get(pod.uid)?.session !== session) return;
    this.#byPod.delete(pod.uid);
    this.#onChange(pod.workload);
  }

  #hold({ pod, session }: ConnectedAgent): void {
    const sessions = this.#sessions.get(pod.uid) ?? new Set();
    this.#sessions.set(pod.uid, sessions.add(session));
    if (sessions.size <= maxSessions) return;
    const [oldest] = sessions;
    sessions.delete(oldest!);
    oldest!.close();
  }

  ofPod(uid: string): ConnectedAgent | undefined {
    return this.#byPod.get(uid);
  }

  /** Of a workload, the oldest pod first. */
  of(workload: string): ConnectedAgent[] {
    return [...this.#byPod.values()]
      .filter(({ pod }) => pod.workload === workload)
      .toSorted((a, b) => ageKeyOf(a) < ageKeyOf(b) ? -1 : 1);
  }
}

function ageKeyOf({ pod }: ConnectedAgent): string {
  return `${pod.createdAt} ${pod.name}`;
}
