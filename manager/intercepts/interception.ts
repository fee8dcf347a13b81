/** All of the manager that intercepts need, joined; {@link runManager} opens the doors. */
import type { ApiClient, Pod } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { type Clock, RefusedError } from "../../net/mod.ts";
import type { Incoming, Session } from "../../tunnel/mod.ts";
import type { Agent } from "../agent_object.ts";
import { BoundedLog } from "../bounded_log.ts";
import { agentRevision } from "../injection/agent_revision.ts";
import { hasNativeSidecars } from "../injection/inject_agent.ts";
import type { Settings } from "../settings.ts";
import { keepSource } from "../source.ts";
import type { Guest } from "./agent_door.ts";
import { proveAgent } from "./agent_proof.ts";
import { AgentSearch } from "./agent_search.ts";
import { AgentSession, type AgentSessionOptions } from "./agent_session.ts";
import { type ControlOptions, InterceptControl } from "./control.ts";
import { Laptops } from "./laptops.ts";
import { ProofGate } from "./proof_gate.ts";
import { Refusals } from "./refusals.ts";
import { Relay } from "./relay.ts";
import { trialAgent, tryWebhook } from "./webhook_trial.ts";

export interface InterceptionOptions {
  api: ApiClient;
  settings: Pick<
    Settings,
    "namespace" | "podName" | "image" | "withheld" | "interceptGraceMs"
  >;
  lineOf: ControlOptions["lineOf"];
  authorities: AgentSessionOptions["authorities"];
  clock: Clock;
}

export class Interception implements AsyncDisposable {
  readonly laptops: Laptops;
  readonly relay: Relay;
  readonly #options: InterceptionOptions;
  readonly #control: InterceptControl;
  readonly #newcomers: ProofGate;
  readonly #renewals: ProofGate;
  readonly #search: AgentSearch;
  readonly #forbidden: BoundedLog;
  readonly #refusals: Refusals;
  readonly #leaving = new AbortController();
  readonly #version: Promise<void>;
  readonly #versionKnown = new AbortController();
  #hasNativeSidecars: boolean | undefined;

  /** Starts to watch. */
  constructor(options: InterceptionOptions) {
    this.#options = options;
    const { api, settings, lineOf, clock } = options;
    const { namespace, podName: pod, image, withheld } = settings;
    this.laptops = new Laptops(clock);
    this.#newcomers = new ProofGate(clock);
    this.#renewals = new ProofGate(clock);
    this.#search = new AgentSearch(api, { manager: namespace, clock });
    this.#forbidden = new BoundedLog(logger("manager"), clock);
    this.#control = new InterceptControl({
      ...{ api, laptops: this.laptops, clock, wallNow: Date.now },
      ...{ self: { pod, namespace }, lineOf },
      goneMs: settings.interceptGraceMs,
      revisionOf: (spec) => agentRevision(spec, { image }),
      tryWebhook: () => tryWebhook(api, { namespace, image }),
      onGone: (uid) => this.relay.end(uid),
    });
    this.relay = new Relay({
      ...{ laptops: this.laptops, agents: this.#control.agents, clock },
      findIntercept: (uid) => this.#control.findIntercept(uid),
      isPresent: (intercept) => this.#control.isPresent(intercept),
      isInForce: (intercept) => this.#control.isInForce(intercept),
      isStaying: (pod) => this.#control.isStaying(pod),
      ipOf: (pod) => this.#control.ipOf(pod),
      withheld,
    });
    this.#refusals = new Refusals({
      ...{ api, pod, clock },
      findIntercept: (uid) => this.#control.findIntercept(uid),
    });
    this.#version = this.#askVersion();
  }

  /**
   * The agent that a pod is to be given when it is made, by any copy of the manager's word; `from` is the address of who
   * asks, which whoever is in the network can.
   */
  async agentOf(
    pod: Pod,
    { namespace, from }: { namespace: string; from: string },
  ): Promise<Agent | undefined> {
    const { namespace: managerNamespace } = this.#options.settings;
    return trialAgent(pod, { namespace, managerNamespace }) ??
      this.#control.agentOfPod(pod, namespace) ??
      await this.#search.find(pod, { namespace, from });
  }

  /** Who has intercepts of the laptop's session with that thumbprint. */
  usersOf(thumbprint: string): string[] {
    return this.#control.ownersOf(thumbprint);
  }

  /** With what agents are made; `undefined` while that is not known. */
  injection(authorities: string | undefined) {
    const { namespace: managerNamespace, image } = this.#options.settings;
    const nativeSidecar = this.#hasNativeSidecars;
    if (authorities === undefined || nativeSidecar === undefined) {
      return undefined;
    }
    return { managerNamespace, image, authorities, nativeSidecar };
  }

  /** Serves the session of who says that it is an agent. */
  welcomeAgent(
    session: Session,
    guest: Guest,
  ): (incoming: Incoming) => void {
    const { settings, authorities, clock } = this.#options;
    const agent = new AgentSession({
      ...{ session, guest, manager: settings.podName, clock },
      ...{ newcomers: this.#newcomers, renewals: this.#renewals },
      ...{ forbidden: this.#forbidden },
      ...{ agents: this.#control.agents, wallNow: Date.now },
      prove: (token) => this.#prove(token),
      rulesOf: (workload) => this.#control.rulesOf(workload),
      authorities,
      serveLaptop: (incoming, wish) => this.relay.serveLaptop(incoming, wish),
      onFallback: (pod, fallback) => void this.#refusals.add(pod, fallback),
      leaving: this.#leaving.signal,
    });
    return (incoming) => agent.serve(incoming);
  }

  /** Ends the agents' rules, by which they know. Resolves when what is relayed has ended by itself. */
  async drain(): Promise<void> {
    this.#leaving.abort();
    await this.relay.drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await this.#control[Symbol.asyncDispose]();
    await this.#version;
  }

  /** Until the API server has said it. Never rejects. */
  async #askVersion(): Promise<void> {
    const { api, clock } = this.#options;
    await keepSource({
      name: "version",
      follow: async () => {
        this.#hasNativeSidecars = hasNativeSidecars(await api.version());
        this.#versionKnown.abort();
      },
      instead: () => {},
    }, {
      signal: AbortSignal.any([
        this.#versionKnown.signal,
        this.#leaving.signal,
      ]),
      clock,
    });
  }

  async #prove(token: string) {
    if (!this.#control.isKnown) {
      throw new RefusedError("failed", "The manager is starting");
    }
    return await proveAgent(token, {
      api: this.#options.api,
      findAgent: (place) => this.#control.findAgent(place),
    });
  }
}
