/**
 * Joins streams of agents with streams of laptops.
 *
 * 1. Who asks is known: an agent by its pod's workload, a laptop by the thumbprint that its session proved.
 * 2. The intercept must be of that workload, or of that laptop, and mean what is wanted.
 * 3. A stream is opened at the other side; what it refuses is the refusal. Accepted: both are joined. What a pod dials
 *    ends with the intercept.
 */
import { logger } from "../../log.ts";
import {
  type Clock,
  pipe,
  pipeDatagrams,
  RefusedError,
  writeAnswer,
} from "../../net/mod.ts";
import type { Incoming, Session } from "../../tunnel/mod.ts";
import {
  type AgentsLogging,
  type ContainerEnvironment,
  encodeLaptopTarget,
  encodePodTarget,
  type InterceptedTarget,
  type LaptopTarget,
  type PodWish,
} from "../agent_api.ts";
import type { Intercept } from "../intercept.ts";
import { Shares } from "../shares.ts";
import { whyNotVia } from "../via_subnets.ts";
import type { ProvenPod } from "./agent_proof.ts";
import { askToLog } from "./agents_logging.ts";
import type { ConnectedAgent, ConnectedAgents } from "./connected_agents.ts";
import type { Laptops } from "./laptops.ts";
import { readEnvironment } from "./pod_environment.ts";
import { keyOf } from "./taken_ports.ts";
import type { WithheldNames } from "./withheld_names.ts";
import { workloadKey } from "./workload_key.ts";

const log = logger("manager");

/** Of all together; who comes above its workload's share, or its laptop's, is refused as overloaded. */
const maxStreams = 32_768;
/** How long an agent may take to tell an environment. */
const environmentMs = 15_000;

/** What an agent wants, with the workload that its pod is of. */
export type LaptopWish = LaptopTarget & { readonly workload: string };

export interface RelayOptions {
  laptops: Laptops;
  agents: ConnectedAgents;
  findIntercept: (uid: string) => Intercept | undefined;
  /** Whether its laptop has not been away for too long. */
  isPresent: (intercept: Intercept) => boolean;
  /** Whether agents are told its rule. */
  isInForce: (intercept: Intercept) => boolean;
  /** False for a pod that is being deleted, or is gone: its containers end, of which streams may hear nothing. */
  isStaying: (pod: ProvenPod) => boolean;
  /** A pod's first address, as far as it is known. */
  ipOf: (pod: ProvenPod) => string | undefined;
  /** Variables that no laptop is given. */
  withheld: WithheldNames;
  clock: Clock;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #streams = new Shares(maxStreams);
  /** The pod that serves an intercept's laptop, by the intercept's UID: the same one while it is there and stays. */
  readonly #pods = new Map<string, string>();
  /** What ends the connections that pods have dialled, by the intercept's UID. */
  readonly #cuts = new Map<string, Set<() => void>>();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Resolves when no stream is relayed. */
  async drain(): Promise<void> {
    await this.#streams.empty();
  }

  /** @throws {RefusedError} when nothing was joined. */
  async serveLaptop(
    incoming: Incoming,
    { intercept: uid, port, workload }: LaptopWish,
  ): Promise<void> {
    const { laptops, findIntercept, isInForce } = this.#options;
    const intercept = findIntercept(uid);
    if (intercept === undefined || keyOfWorkload(intercept) !== workload) {
      throw new RefusedError("forbidden", "The workload has no such intercept");
    }
    const { session, ports } = intercept.spec;
    if (!ports.some((one) => keyOf(one) === keyOf(port))) {
      throw new RefusedError("forbidden", "The port is not intercepted");
    }
    if (!isInForce(intercept)) {
      throw new RefusedError("gone", "The intercept is not in force");
    }
    using _stream = this.#place(`workload ${workload}`);
    const target = encodeLaptopTarget({ intercept: uid, port });
    await laptops.reach(session, {
      signal: incoming.signal,
      use: (laptop, signal) => open(laptop, { incoming, target, signal }),
    }).then(({ join }) => join());
  }

  /** @throws {RefusedError} when nothing was joined. */
  async servePod(
    incoming: Incoming,
    { intercept: uid, wanted }: InterceptedTarget,
    laptop: Session,
  ): Promise<void> {
    const { findIntercept, isPresent } = this.#options;
    const intercept = findIntercept(uid);
    const { thumbprint } = laptop.peer;
    if (thumbprint === undefined || intercept?.spec.session !== thumbprint) {
      throw new RefusedError("forbidden", "The laptop has no such intercept");
    }
    if (!isPresent(intercept) || intercept.status?.phase === "Failed") {
      throw new RefusedError("gone", "The intercept is not in force");
    }
    mustMean(intercept, wanted);
    using _stream = this.#place(`laptop ${thumbprint}`);
    const { signal } = incoming;
    const target = encodePodTarget(
      wanted.kind === "address" ? { ...wanted, intercept: uid } : wanted,
    );
    if (wanted.kind === "log") {
      const answer = await this.#askToLog(intercept, { target, signal });
      const { level: wished, seconds } = wanted;
      const workload = keyOfWorkload(intercept);
      log.info("log level of agents", {
        ...{ wished, seconds, thumbprint, workload, agents: answer.agents },
      });
      return await writeJson(incoming, answer);
    }
    const agent = this.#agentFor(intercept);
    if (wanted.kind === "environment" && !incoming.datagrams) {
      const environment = await this.#environment(agent, {
        ...{ target, signal },
      });
      return await writeJson(incoming, environment);
    }
    const { join, cut } = await open(agent.session, {
      ...{ incoming, target, signal },
    });
    using _cut = wanted.kind === "address" ? this.#cutWith(uid, cut) : null;
    await join();
  }

  /** An intercept is no more: what pods have dialled for it is cut. */
  end(uid: string): void {
    this.#pods.delete(uid);
    for (const cut of this.#cuts.get(uid) ?? []) cut();
  }

  #cutWith(uid: string, cut: () => void): Disposable {
    const cuts = this.#cuts.get(uid) ?? new Set();
    this.#cuts.set(uid, cuts.add(cut));
    // It may have gone while the pod dialled.
    if (this.#options.findIntercept(uid) === undefined) cut();
    return {
      [Symbol.dispose]: () => {
        cuts.delete(cut);
        if (cuts.size === 0) this.#cuts.delete(uid);
      },
    };
  }

  async #environment(
    { session, pod }: ConnectedAgent,
    { target, signal }: { target: Uint8Array; signal: AbortSignal },
  ): Promise<ContainerEnvironment> {
    const { withheld, ipOf, clock } = this.#options;
    const late = new AbortController();
    const callOff = clock.after(environmentMs, () => {
      const detail = "The agent does not tell the environment";
      late.abort(new RefusedError("timeout", detail));
    });
    const both = AbortSignal.any([signal, late.signal]);
    try {
      const stream = await session.open(target, { signal: both });
      const podIp = ipOf(pod);
      return await readEnvironment(stream, { withheld, podIp, signal: both });
    } finally {
      callOff();
    }
  }

  #askToLog(
    intercept: Intercept,
    asked: { target: Uint8Array; signal: AbortSignal },
  ): Promise<AgentsLogging> {
    const { agents, clock } = this.#options;
    const all = agents.of(keyOfWorkload(intercept));
    return askToLog(all, { ...asked, clock });
  }

  #agentFor(intercept: Intercept) {
    const { isStaying } = this.#options;
    const uid = intercept.metadata.uid!;
    const all = this.#options.agents.of(keyOfWorkload(intercept));
    const staying = all.filter(({ pod }) => isStaying(pod));
    const present = staying.length > 0 ? staying : all;
    // A pod that has just come may not know of the intercept yet.
    const knowing = present.filter(({ follows }) => follows?.has(uid));
    const agents = knowing.length > 0 ? knowing : present;
    const serving = this.#pods.get(uid);
    const agent = agents.find(({ pod }) => pod.uid === serving) ?? agents[0];
    if (agent === undefined) {
      throw new RefusedError(
        "gone",
        "No pod of the workload has an agent here",
      );
    }
    this.#pods.set(uid, agent.pod.uid);
    return agent;
  }

  #place(key: string): Disposable {
    const place = this.#streams.take(key);
    if (place !== undefined) return place;
    throw new RefusedError("overloaded", "The manager has no room for more");
  }
}

function keyOfWorkload({ metadata, spec }: Intercept): string {
  return workloadKey(metadata.namespace!, spec.workload);
}

/**
 * More of the log, which the laptop cannot read by it, is for every mode.
 *
 * @throws {RefusedError} `forbidden`. An admin may allow some modes and not others, so each has its own and no more.
 */
function mustMean({ spec }: Intercept, wanted: PodWish): void {
  if (wanted.kind === "log") return;
  const isForAddresses = wanted.kind === "address";
  if (isForAddresses !== (spec.mode === "proxy-via")) {
    const detail = `An intercept of mode ${spec.mode} is not for that`;
    throw new RefusedError("forbidden", detail);
  }
  const why = isForAddresses ? whyNotVia(wanted.ip, spec.subnets) : undefined;
  if (why !== undefined) throw new RefusedError("forbidden", why);
}

/** Opens a stream like `incoming` at the other side. `join` joins the two until both have ended, `cut` ends them. */
async function open(
  session: Session,
  { incoming, target, signal }: {
    incoming: Incoming;
    target: Uint8Array;
    signal: AbortSignal;
  },
): Promise<{ join: () => Promise<unknown>; cut: () => void }> {
  if (incoming.datagrams) {
    const flow = await session.openDatagrams(target, { signal });
    return {
      join: () => pipeDatagrams(flow, incoming.acceptDatagrams()),
      cut: () => flow.close(),
    };
  }
  const stream = await session.open(target, { signal });
  return {
    join: () => pipe(stream, incoming.accept()),
    cut: () => stream.reset(),
  };
}

async function writeJson(incoming: Incoming, answer: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(answer));
  await writeAnswer(incoming.accept(), bytes);
}
