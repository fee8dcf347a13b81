/**
 * One session with one copy of the manager.
 *
 * 1. Its first carrier is a way into the pod; it stands once the manager has told its view of the cluster.
 * 2. It opens further carriers by itself. While it has none its pod is looked at: one that was replaced has taken the
 *    session with it.
 * 3. It is over for new streams when it has ended, when the manager leaves, or when it has had no carrier for a while and
 *    another copy is ready. Streams that it has go on as long as they can.
 */
import { product } from "../../build.ts";
import type { ApiClient } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { World } from "../../manager/api.ts";
import { type Manager, openManager } from "../../manager/client.ts";
import { pause, RefusedError, systemClock } from "../../net/mod.ts";
import {
  type CarrierChange,
  dialSession,
  type Identity,
  type Incoming,
  type Session,
  type SessionStats,
} from "../../tunnel/mod.ts";
import {
  findReplicas,
  isGone,
  readyOf,
  type Replica,
} from "../cluster/replicas.ts";
import { carrierLimits, openCarrier } from "./carrier.ts";
import type { DirectWay } from "./direct_way.ts";

const log = logger("connector");

/** How long a manager may take to tell its first view of the cluster. */
const firstViewMs = 10_000;
/** How long a session without a carrier keeps new streams to itself while another copy is ready. */
const stuckMs = 5_000;
/** Pauses between looks at the pod of a session without a carrier; to what they grow while looks fail; how long one may take. */
const lookMs = 500;
const longestLookMs = 2_000;
const lookTimeoutMs = 2_000;
/** How often a session that takes no more streams is looked at. */
const retiredMs = 1_000;

export interface ManagerSessionOptions {
  api: ApiClient;
  /** Of the manager. */
  namespace: string;
  replica: Replica;
  identity: Identity;
  /** Answers streams that the manager opens. */
  serve: (incoming: Incoming) => void;
  direct: DirectWay;
  /** The only namespaces that views of the cluster are of; all when absent. */
  namespaces: readonly string[] | undefined;
  /** Called with each view of the cluster, the first before {@link ManagerSession.open} resolves. */
  onWorld: (world: World) => void;
  /** Called when {@link ManagerSession.waiting} has changed. */
  onChange: (session: ManagerSession) => void;
}

/** A session has no carrier. */
export interface Waiting {
  /** In ms since 1970. */
  readonly since: number;
  /** For people. */
  readonly why: string;
}

export class ManagerSession {
  readonly manager: Manager;
  readonly #options: ManagerSessionOptions;
  readonly #session: Session;
  /** Ends the watch of the cluster and the looks at the pod. */
  readonly #retired = new AbortController();
  readonly #over = Promise.withResolvers<string>();
  #waiting: Waiting | undefined;
  #isPodWatched = false;

  private constructor(options: ManagerSessionOptions, session: Session) {
    this.#options = options;
    this.#session = session;
    this.manager = openManager(session);
    void session.ended.then(({ detail }) => {
      this.#retired.abort();
      this.#over.resolve(detail);
    });
  }

  /** @throws what the API server or the manager answered. */
  static async open(
    options: ManagerSessionOptions,
    { signal }: { signal: AbortSignal },
  ): Promise<ManagerSession> {
    const { api, namespace, replica: { pod }, identity, serve } = options;
    let onCarrier: (change: CarrierChange) => void = () => {};
    let onTrouble: (trouble: Error) => void = () => {};
    const session = await dialSession({
      ...{ identity, product, serve, signal },
      dial: ({ signal }) => openCarrier(api, { namespace, pod, signal }),
      limits: carrierLimits(),
      onCarrier: (change) => onCarrier(change),
      onTrouble: (trouble) => trouble && onTrouble(trouble),
    });
    const one = new ManagerSession(options, session);
    onCarrier = (change) => one.#onCarrier(change);
    onTrouble = (trouble) => one.#onTrouble(trouble);
    const late = setTimeout(() => session.close(), firstViewMs);
    try {
      await one.#begin(signal);
      return one;
    } catch (error) {
      session.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  get replica(): Replica {
    return this.#options.replica;
  }

  /** What the manager calls itself. */
  get product(): string {
    return this.#session.peer.product;
  }

  /** Resolves, with why, when no more streams are to be opened in it. */
  get over(): Promise<string> {
    return this.#over.promise;
  }

  /** `undefined` while there is a carrier. */
  get waiting(): Waiting | undefined {
    return this.#waiting;
  }

  stats(): SessionStats {
    return this.#session.stats();
  }

  /** The network has changed, or this laptop has slept. */
  wake(): void {
    this.#session.wake();
  }

  /** Goes on for the streams that it has, and ends with the last of them. Resolves then. */
  async retire(): Promise<void> {
    this.#retired.abort();
    const look = setInterval(() => {
      if (this.#session.stats().streams === 0) this.#session.close();
    }, retiredMs);
    await this.#session.ended;
    clearInterval(look);
  }

  /** Breaks off what there is; resolves when the carriers are released. */
  async close(): Promise<void> {
    this.#session.close();
    await this.#session.ended;
  }

  /** Resolves once the manager has told its view of the cluster. */
  async #begin(signal: AbortSignal): Promise<void> {
    const callOff = () => this.#session.close();
    signal.addEventListener("abort", callOff, { once: true });
    try {
      const worlds = this.manager.world({
        namespaces: this.#options.namespaces,
        signal: this.#retired.signal,
      });
      const first = await worlds.next();
      signal.throwIfAborted();
      if (first.done) throw new RefusedError("gone", "The manager hung up");
      this.#options.onWorld(first.value);
      void this.#follow(worlds);
      void this.#options.direct.follow(this.#session, {
        ...{ manager: this.manager, signal: this.#retired.signal },
      });
    } finally {
      signal.removeEventListener("abort", callOff);
    }
  }

  /** A manager that leaves ends its view of the cluster, and goes on for a while with what is under way. */
  async #follow(worlds: AsyncIterator<World>): Promise<void> {
    try {
      for (;;) {
        const next = await worlds.next();
        if (this.#retired.signal.aborted) return;
        if (next.done) return this.#over.resolve("the manager leaves");
        this.#options.onWorld(next.value);
      }
    } catch (error) {
      log.debug("the watch of the cluster ended", { error });
    }
  }

  #onCarrier({ number, lost, live }: CarrierChange): void {
    const { pod } = this.replica;
    if (lost === undefined) log.debug("carrier joined", { pod, number });
    else log.info("carrier lost", { pod, number, lost, live });
    const wasWaiting = this.#waiting !== undefined;
    if (wasWaiting === (live === 0)) return;
    this.#waiting = live > 0
      ? undefined
      : { since: Date.now(), why: lost ?? "it has no carrier" };
    this.#options.onChange(this);
    void this.#watchPod();
  }

  #onTrouble({ message }: Error): void {
    log.debug("no carrier", { pod: this.replica.pod, message });
    if (this.#waiting === undefined) return;
    this.#waiting = { ...this.#waiting, why: message };
  }

  /** While there is no carrier. An API server that has too much to do is asked less. */
  async #watchPod(): Promise<void> {
    if (this.#isPodWatched) return;
    this.#isPodWatched = true;
    const { signal } = this.#retired;
    let pauseMs = lookMs;
    while (this.#waiting !== undefined && !signal.aborted) {
      try {
        await this.#lookAtPod(this.#waiting);
        pauseMs = lookMs;
      } catch (error) {
        log.debug("cannot look at the manager's pod", { error });
        pauseMs = Math.min(pauseMs * 2, longestLookMs);
      }
      await pause(pauseMs * (0.5 + Math.random()), {
        clock: systemClock,
        signal,
      });
    }
    this.#isPodWatched = false;
  }

  async #lookAtPod({ since }: Waiting): Promise<void> {
    const { api, namespace, replica } = this.#options;
    const timeout = AbortSignal.timeout(lookTimeoutMs);
    const signal = AbortSignal.any([this.#retired.signal, timeout]);
    const found = await findReplicas(api, { namespace, signal });
    if (this.#waiting === undefined) return;
    if (isGone(found, replica)) {
      this.#over.resolve(`pod "${replica.pod}" was replaced`);
      this.#session.close();
      return;
    }
    const isOther = ({ life }: Replica) => life !== replica.life;
    if (Date.now() - since >= stuckMs && readyOf(found).some(isOther)) {
      this.#over.resolve(`pod "${replica.pod}" cannot be reached`);
    }
  }
}
