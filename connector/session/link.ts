/**
 * The way to the manager: a session with one copy of it, and the next one when that is over.
 *
 * 1. One of the copies that are ready is taken, and its session kept (`manager_session.ts`).
 * 2. When the session is over for new streams, another is made at once, or as soon as a copy is ready. It keeps the streams
 *    that it has as long as they can go on.
 * 3. Streams that are opened meanwhile wait for a few seconds.
 */
import type { ApiClient, PortForwardWay } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { World } from "../../manager/api.ts";
import type { Manager } from "../../manager/client.ts";
import { pause, RefusedError, systemClock } from "../../net/mod.ts";
import type { Identity, Incoming, SessionStats } from "../../tunnel/mod.ts";
import { findReplicas, readyOf, type Replica } from "../cluster/replicas.ts";
import { type DirectStatus, DirectWay } from "./direct_way.ts";
import { ManagerSession, type Waiting } from "./manager_session.ts";

const log = logger("connector");

/** How long a new flow waits for a way to the manager. */
const patienceMs = 3_000;
const firstPauseMs = 100;
/** Between looks for a copy that is ready: laptops come back soon, and many of them do no harm. */
const longestPauseMs = 1_000;
const lastingPauseMs = 2_000;
const lastingMs = 120_000;
/** How long one look may take. */
const lookTimeoutMs = 5_000;
/** Sessions that go on for their streams only; the oldest gives way. */
const maxFormer = 4;

export interface LinkOptions {
  api: ApiClient;
  /** Namespace of the manager. */
  namespace: string;
  /** Copies of the manager that were ready a moment ago, best first; looked for anew when absent. */
  ready?: readonly Replica[];
  /** The key of all its sessions. */
  identity: Identity;
  /** Answers streams that the manager opens. */
  serve: (incoming: Incoming) => void;
  /** The only namespaces that views of the cluster are of; all when absent. */
  namespaces?: readonly string[] | undefined;
  /** Called with each view of the cluster, the first before {@link ManagerLink.open} resolves. */
  onWorld: (world: World) => void;
}

export interface LinkStatus {
  /** What the manager calls itself, and its pod, as of the last session. */
  readonly product: string;
  readonly pod: string;
  /** Since when there is a way to it, in ms since 1970, or none and why. */
  readonly since: number;
  readonly trouble: string | undefined;
  /** Of the last session. */
  readonly stats: SessionStats;
  /** `direct` while it has such a carrier, else the way by which the last one was opened. */
  readonly transport: "direct" | PortForwardWay | undefined;
  /** The manager's direct endpoint, if it tells one. */
  readonly direct: DirectStatus | undefined;
  /** Sessions that ended or are left. */
  readonly formerSessions: number;
  /** Of all sessions: streams that went on at another carrier, and carriers that were moved whole. */
  readonly movedStreams: number;
  readonly movedCarriers: number;
}

export class ManagerLink implements AsyncDisposable {
  /** Where carriers go without the API server between, if the manager has such a place. */
  readonly direct = new DirectWay();
  readonly #options: LinkOptions;
  readonly #abort = new AbortController();
  /** Where streams are opened, or were last. */
  #session!: ManagerSession;
  /** There is no session for new streams. */
  #lost: Waiting | undefined;
  #usable = Promise.withResolvers<Manager>();
  #isUsable = false;
  #usableSince = 0;
  readonly #former = new Set<ManagerSession>();
  #formerSessions = 0;
  readonly #formerMoved = { carriers: 0, streams: 0 };
  #endPause = () => {};
  #running: Promise<void> = Promise.resolve();

  private constructor(options: LinkOptions) {
    this.#options = options;
  }

  /**
   * @param signal Calls the opening off.
   * @throws what the API server or the manager answered to the first attempt.
   */
  static async open(
    options: LinkOptions,
    { signal }: { signal: AbortSignal },
  ): Promise<ManagerLink> {
    const link = new ManagerLink(options);
    link.#session = await link.#connect({ signal, ready: options.ready });
    link.#refresh();
    link.#running = link.#keep();
    return link;
  }

  status(): LinkStatus {
    const { product, replica: { pod } } = this.#session;
    const waiting = this.#lost ?? this.#session.waiting;
    const stats = this.#session.stats();
    const isDirect = stats.carriers.some((one) => one.isShortcut);
    return {
      ...{ product, pod, stats },
      transport: isDirect ? "direct" : this.#options.api.portForwardWay,
      direct: this.direct.status,
      since: waiting?.since ?? this.#usableSince,
      trouble: waiting?.why,
      formerSessions: this.#formerSessions,
      movedStreams: this.#formerMoved.streams + stats.movedStreams,
      movedCarriers: this.#formerMoved.carriers + stats.moves,
    };
  }

  /**
   * Gives `open` the manager; once more when the manager, or the session with it, was just leaving.
   *
   * @throws {RefusedError} `gone` when there is no way to a manager within a few seconds.
   */
  async use<T>(open: (manager: Manager) => Promise<T>): Promise<T> {
    for (;;) {
      const manager = this.#isUsable
        ? this.#session.manager
        : await this.#wait();
      try {
        return await open(manager);
      } catch (error) {
        const isGone = error instanceof RefusedError &&
          error.refusal === "gone";
        if (!isGone || this.#abort.signal.aborted) throw error;
        // The end of the session is told to us after it was to its streams.
        await new Promise((resolve) => setTimeout(resolve));
        if (this.#isUsable && this.#session.manager === manager) throw error;
      }
    }
  }

  /** The network has changed, or this laptop has slept: what does not answer is lost, what is missing tried at once. */
  wake(): void {
    this.#session.wake();
    for (const session of this.#former) session.wake();
    this.#endPause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#usable.promise.catch(() => {});
    this.#usable.reject(new RefusedError("gone", "The connection was closed"));
    const sessions = [this.#session, ...this.#former];
    await Promise.all(sessions.map((session) => session.close()));
    await this.#running;
  }

  async #wait(): Promise<Manager> {
    const timer = Promise.withResolvers<never>();
    const id = setTimeout(() => {
      const { why } = this.#lost ?? this.#session.waiting ?? { why: "closed" };
      const detail = `Cannot reach the manager: ${why}`;
      timer.reject(new RefusedError("gone", detail));
    }, patienceMs);
    try {
      return await Promise.race([this.#usable.promise, timer.promise]);
    } finally {
      clearTimeout(id);
    }
  }

  /** Makes {@link use} wait, or go on, as it is by now. */
  #refresh(): void {
    const isUsable = this.#lost === undefined &&
      this.#session.waiting === undefined;
    if (isUsable === this.#isUsable) return;
    this.#isUsable = isUsable;
    this.#tell();
    if (isUsable) {
      this.#usableSince = Date.now();
      this.#usable.resolve(this.#session.manager);
    } else this.#usable = Promise.withResolvers<Manager>();
  }

  /** Whoever looks later shall find that there was no way, and why. */
  #tell(): void {
    if (this.#abort.signal.aborted || this.#lost !== undefined) return;
    const { replica: { pod }, waiting } = this.#session;
    if (waiting) log.warn("no way to the manager", { pod, error: waiting.why });
    else log.info("the manager is reached", { pod });
  }

  async #keep(): Promise<void> {
    for (;;) {
      const before = this.#session;
      const why = await before.over;
      if (this.#abort.signal.aborted) return;
      const { pod } = before.replica;
      log.warn("session given up", { pod, error: why });
      this.#lost = { since: Date.now(), why };
      this.#refresh();
      this.#retire(before);
      const next = await this.#reconnect(before.replica);
      if (next === undefined) return;
      this.#formerSessions++;
      const { moves, movedStreams } = before.stats();
      this.#formerMoved.carriers += moves;
      this.#formerMoved.streams += movedStreams;
      this.#session = next;
      const lostMs = Date.now() - this.#lost.since;
      log.info("session made again", { pod: next.replica.pod, lostMs });
      this.#lost = undefined;
      this.#refresh();
    }
  }

  async #retire(session: ManagerSession): Promise<void> {
    this.#former.add(session);
    const [oldest] = this.#former;
    if (this.#former.size > maxFormer) void oldest!.close();
    await session.retire();
    this.#former.delete(session);
  }

  /** Tries until it succeeds; `undefined` when the link was closed meanwhile. */
  async #reconnect(before: Replica): Promise<ManagerSession | undefined> {
    const { signal } = this.#abort;
    const since = Date.now();
    const start = performance.now();
    for (let pauseMs = firstPauseMs; !signal.aborted;) {
      try {
        return await this.#connect({ signal, before });
      } catch (error) {
        if (signal.aborted) return undefined;
        const why = error instanceof Error ? error.message : String(error);
        this.#lost = { since: this.#lost?.since ?? since, why };
        log.debug("cannot make the session again", { error });
      }
      await this.#pause(pauseMs * (0.5 + Math.random() / 2));
      const isLasting = performance.now() - start > lastingMs;
      const longest = isLasting ? lastingPauseMs : longestPauseMs;
      pauseMs = Math.min(pauseMs * 2, longest);
    }
    return undefined;
  }

  /**
   * One attempt with each copy that is ready.
   *
   * @param options.before The copy of a session that is over: the others go first.
   * @throws what the first of them answered.
   */
  async #connect(
    { signal, ready, before }: {
      signal: AbortSignal;
      ready?: readonly Replica[] | undefined;
      before?: Replica;
    },
  ): Promise<ManagerSession> {
    const { api, namespace, namespaces } = this.#options;
    const { identity, serve, onWorld } = this.#options;
    const all = ready ?? await this.#look(signal);
    const isBefore = ({ life }: Replica) => life === before?.life;
    const errors: unknown[] = [];
    for (
      const replica of all.toSorted((a, b) => +isBefore(a) - +isBefore(b))
    ) {
      try {
        return await ManagerSession.open({
          ...{ api, namespace, namespaces, replica },
          ...{ identity, serve, onWorld },
          direct: this.direct,
          onChange: (session) => {
            if (session === this.#session) this.#refresh();
          },
        }, { signal });
      } catch (error) {
        signal.throwIfAborted();
        errors.push(error);
      }
    }
    throw errors[0] ??
      new RefusedError("gone", "No pod of the manager is ready");
  }

  async #look(signal: AbortSignal): Promise<Replica[]> {
    const { api, namespace } = this.#options;
    const timeout = AbortSignal.timeout(lookTimeoutMs);
    const either = AbortSignal.any([signal, timeout]);
    try {
      return readyOf(await findReplicas(api, { namespace, signal: either }));
    } catch (cause) {
      if (!timeout.aborted) throw cause;
      throw new RefusedError("gone", "The API server does not answer", {
        cause,
      });
    }
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#endPause = () => woken.abort();
    await pause(ms, {
      clock: systemClock,
      signal: AbortSignal.any([this.#abort.signal, woken.signal]),
    });
    this.#endPause = () => {};
  }
}
