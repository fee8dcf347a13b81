/**
 * The session with the manager, made anew when it is lost.
 *
 * 1. Carriers are opened by port-forward to the manager's pod; the session outlives each of them.
 * 2. The manager's view of the cluster is watched as long as the session lives.
 * 3. When the session ends, its streams break off; a new one is made with growing, jittered pauses.
 */
import { product } from "../build.ts";
import type { ApiClient } from "../k8s/mod.ts";
import { logger } from "../log.ts";
import type { World } from "../manager/api.ts";
import { type Manager, openManager } from "../manager/client.ts";
import { RefusedError } from "../net/mod.ts";
import { openCarrier } from "./carrier.ts";
import { pause } from "./pause.ts";
import { findReplicas, readyOf, type Replica } from "./replicas.ts";
import { dialSession, type Identity, type Session } from "../tunnel/mod.ts";

const log = logger("connector");

/** How long a new flow waits for a session that is being made again. */
const patienceMs = 3_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** How long a manager may take to tell its first view of the cluster. */
const firstViewMs = 10_000;

export interface LinkOptions {
  api: ApiClient;
  /** Namespace of the manager. */
  namespace: string;
  /** Copies of the manager that were ready a moment ago, best first; looked for anew when absent. */
  ready?: readonly Replica[];
  identity: Identity;
  /** Called with each view of the cluster, the first before {@link ManagerLink.open} resolves. */
  onWorld: (world: World) => void;
}

export class ManagerLink implements AsyncDisposable {
  readonly #options: LinkOptions;
  readonly #abort = new AbortController();
  #current = Promise.withResolvers<Manager>();
  #session: Session | undefined;
  #manager: Manager | undefined;
  #trouble: string | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: LinkOptions) {
    this.#options = options;
    // Nobody may be waiting when it is given up.
    this.#current.promise.catch(() => {});
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
    const callOff = () => link.#abort.abort(signal.reason);
    signal.addEventListener("abort", callOff, { once: true });
    if (signal.aborted) callOff();
    try {
      const session = await link.#connect(options.ready);
      signal.throwIfAborted();
      link.#running = link.#keep(session);
      return link;
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    } finally {
      signal.removeEventListener("abort", callOff);
    }
  }

  /** Why there is no session at the moment; `undefined` while there is one. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** What the manager calls itself, as of the last session. */
  get managerProduct(): string {
    return this.#session?.peer.product ?? "";
  }

  get roundTripMs(): number | undefined {
    return this.#session?.stats().roundTripMs;
  }

  /** @throws {RefusedError} `gone` when no session comes about within a few seconds. */
  async manager(): Promise<Manager> {
    const timer = Promise.withResolvers<never>();
    const id = setTimeout(() => {
      const detail = `Cannot reach the manager: ${
        this.#trouble ?? "no session"
      }`;
      timer.reject(new RefusedError("gone", detail));
    }, patienceMs);
    try {
      return await Promise.race([this.#current.promise, timer.promise]);
    } finally {
      clearTimeout(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#session?.close();
    this.#current.reject(new RefusedError("gone", "The connection was closed"));
    await this.#running;
  }

  /** One attempt: resolves once the manager has told its view of the cluster. */
  async #connect(ready?: readonly Replica[]): Promise<Session> {
    const { api, namespace, identity } = this.#options;
    const { signal } = this.#abort;
    const place = { namespace, signal };
    const [replica] = ready ?? readyOf(await findReplicas(api, place));
    if (replica === undefined) {
      throw new RefusedError("gone", "No pod of the manager is ready");
    }
    const { pod } = replica;
    const session = await dialSession({
      dial: ({ signal }) => openCarrier(api, { namespace, pod, signal }),
      identity,
      product,
      signal,
      onTrouble: (trouble) => this.#onTrouble(trouble),
    });
    const late = setTimeout(() => session.close(), firstViewMs);
    try {
      const manager = openManager(session);
      const worlds = manager.world({ signal });
      const first = await worlds.next();
      signal.throwIfAborted();
      if (first.done) throw new RefusedError("gone", "The manager hung up");
      this.#options.onWorld(first.value);
      this.#session = session;
      this.#manager = manager;
      this.#trouble = undefined;
      this.#current.resolve(manager);
      this.#follow(worlds);
      return session;
    } catch (error) {
      session.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  /** While the session has no carrier, nobody is to wait for longer than a few seconds. */
  #onTrouble(trouble: Error | undefined): void {
    if (this.#manager === undefined) return;
    const isTold = this.#trouble !== undefined;
    this.#trouble = trouble?.message;
    if (trouble === undefined) this.#current.resolve(this.#manager);
    else if (!isTold) this.#renew();
  }

  #renew(): void {
    this.#current = Promise.withResolvers<Manager>();
    this.#current.promise.catch(() => {});
  }

  async #follow(worlds: AsyncIterator<World>): Promise<void> {
    try {
      for (;;) {
        const next = await worlds.next();
        if (next.done) return;
        this.#options.onWorld(next.value);
      }
    } catch (error) {
      log.debug("the watch of the cluster ended", { error });
    }
  }

  async #keep(session: Session): Promise<void> {
    for (;;) {
      const end = await session.ended;
      if (this.#abort.signal.aborted) return;
      log.warn("session lost", { reason: end.reason, detail: end.detail });
      this.#trouble = end.detail;
      this.#manager = undefined;
      this.#renew();
      const next = await this.#reconnect();
      if (next === undefined) return;
      log.info("session made again");
      session = next;
    }
  }

  /** Tries until it succeeds; `undefined` when the link was closed meanwhile. */
  async #reconnect(): Promise<Session | undefined> {
    for (let pauseMs = firstPauseMs; !this.#abort.signal.aborted;) {
      try {
        return await this.#connect();
      } catch (error) {
        this.#trouble = error instanceof Error ? error.message : String(error);
        log.debug("cannot make the session again", { error });
      }
      await pause(pauseMs * (0.5 + Math.random()), this.#abort.signal);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
    return undefined;
  }
}
