/**
 * The way from a request to a session with the manager.
 *
 * 1. The kubeconfig is read, the API server asked and the manager looked for. One that is ready is connected to.
 * 2. Between the two, the caller makes its host ready.
 * 3. A manager that is missing is installed; the session is made.
 */
import { product } from "../build.ts";
import {
  type ApiClient,
  type ClusterAccess,
  loadAccess,
  openApi,
} from "../k8s/mod.ts";
import { createIdentity, type Identity, type Incoming } from "../tunnel/mod.ts";
import { absentNamespaceWarning } from "./cluster/absent_namespace.ts";
import type { ConnectEvent, ConnectRequest } from "./api.ts";
import { askApiServer } from "./cluster/api_server.ts";
import type { ManagerLink } from "./session/link.ts";
import { parseMappedNamespaces } from "./cluster/mapped_namespaces.ts";
import {
  ensureManager,
  lookForManager,
  type ManagerOptions,
  type ManagerPresence,
} from "./cluster/manager.ts";
import { reachManager } from "./session/reach.ts";
import type { Replica } from "./cluster/replicas.ts";
import { WayMemory } from "./session/way_memory.ts";
import { WorldView } from "./session/world_view.ts";

export interface ApproachOptions {
  /** Calls it off. */
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
  /** Answers streams that the manager opens. */
  serve: (incoming: Incoming) => void;
}

interface Parts {
  access: ClusterAccess;
  api: ApiClient;
  identity: Identity;
  options: ConnectRequest & ManagerOptions & ApproachOptions;
  presence: ManagerPresence;
  mapped: readonly string[] | undefined;
}

/** A cluster that answers. Dispose of it to let go of its sessions and connections. */
export class Approach implements AsyncDisposable {
  /** What the manager sees of the cluster; known once {@link arrive} has resolved. */
  readonly view = new WorldView();
  /** The only namespaces that this laptop wants to know of, the connection's among them; `undefined`: all. */
  readonly mapped: readonly string[] | undefined;
  readonly #parts: Parts;
  readonly #building: AsyncDisposableStack;
  #link: ManagerLink | undefined;

  private constructor(parts: Parts, building: AsyncDisposableStack) {
    this.#parts = parts;
    this.#building = building;
    this.mapped = parts.mapped;
  }

  /** @throws {ConnectError} or what the rooms below throw; everything that was built is undone by then. */
  static async open(
    request: ConnectRequest,
    { signal, tell, serve }: ApproachOptions,
  ): Promise<Approach> {
    const asked = parseMappedNamespaces(request);
    await using building = new AsyncDisposableStack();
    const access = await accessOf(request);
    const mapped = asked &&
      [...new Set([...asked, access.namespace])].sort();
    const ways = new WayMemory();
    const api = building.use(openApi(access, {
      userAgent: product,
      portForwardWay: await ways.recall(access),
      onPortForwardWay: (way) => void ways.note(access, way),
    }));
    await askApiServer(api, { signal, tell });
    const options = { ...request, signal, tell, serve };
    const presence = await lookForManager(api, options);
    const identity = await createIdentity();
    const parts = { access, api, identity, options, presence, mapped };
    const approach = new Approach(parts, building.move());
    try {
      if (presence.state === "ready") await approach.#reach(presence.ready);
    } catch (error) {
      await approach[Symbol.asyncDispose]();
      throw error;
    }
    return approach;
  }

  get access(): ClusterAccess {
    return this.#parts.access;
  }

  get api(): ApiClient {
    return this.#parts.api;
  }

  get identity(): Identity {
    return this.#parts.identity;
  }

  /** The session with the manager, which is installed first where it is missing. */
  async arrive(): Promise<ManagerLink> {
    const { access: { namespace }, api, options, presence } = this.#parts;
    const say = (text: string) => options.tell({ event: "progress", text });
    await ensureManager(api, presence, options);
    say("Connecting to traffic manager...");
    const link = this.#link ?? await this.#reach();
    const existing = new Set(this.view.current.namespaces);
    for (const one of new Set([namespace, ...this.mapped ?? []])) {
      if (existing.has(one)) continue;
      say(absentNamespaceWarning(one, { mapped: one !== namespace }));
    }
    return link;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#building.disposeAsync();
  }

  async #reach(ready?: readonly Replica[]): Promise<ManagerLink> {
    const { api, identity, options } = this.#parts;
    this.#link = await reachManager(api, {
      ...{ ...options, view: this.view, mapped: this.mapped, identity },
      ...ready ? { ready } : {},
    });
    return this.#building.use(this.#link);
  }
}

export function accessOf(
  { kubeconfig, context, namespace }: ConnectRequest,
): Promise<ClusterAccess> {
  return loadAccess({
    env: Deno.env.toObject(),
    ...kubeconfig === undefined ? {} : { kubeconfig },
    ...context === undefined ? {} : { context },
    ...namespace === undefined ? {} : { namespace },
  });
}
