/**
 * One connection: this laptop and one cluster.
 *
 * 1. The kubeconfig is read and the API server asked, so that what is wrong there is told before root is needed.
 * 2. The manager is found or installed and a session made with it, while the daemon is started.
 * 3. The daemon opens the TUN device; DNS and VPN are put on it.
 * 4. Routes and the host's resolver are set, and follow the cluster while it changes.
 *
 * Undoing is this read backwards.
 */
import { product, version } from "../build.ts";
import {
  connectDaemon,
  type DaemonClient,
  waitForDaemon,
} from "../daemon/client.ts";
import { type ClusterAccess, loadAccess, openApi } from "../k8s/mod.ts";
import { createIdentity } from "../tunnel/mod.ts";
import type { ConnectEvent, ConnectRequest, Status } from "./api.ts";
import { ConnectError } from "./failure.ts";
import { ManagerLink } from "./link.ts";
import { ensureManager } from "./manager.ts";
import { type Network, openNetwork } from "./network.ts";
import { idleStatus, releaseOf } from "./status.ts";
import { WorldView } from "./world_view.ts";

/** How long a user may take to type the password that starts the daemon. */
const daemonPatienceMs = 5 * 60_000;

export interface ConnectOptions {
  /** Calls the connecting off. */
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
}

/**
 * Builds the connection.
 *
 * @throws {ConnectError} or what the rooms below throw; everything that was built is undone by then.
 */
export async function connect(
  request: ConnectRequest,
  { signal, tell }: ConnectOptions,
): Promise<Connection> {
  await using building = new AsyncDisposableStack();
  const access = await accessOf(request);
  const api = building.use(openApi(access, { userAgent: product }));
  await api.version({ signal });
  tell({ event: "daemon-needed" });
  const daemonWait = openDaemon(building, signal);
  // A failure on the way to the manager is told first; the daemon's must not be an unhandled one.
  daemonWait.catch(() => {});
  await ensureManager(api, { ...request, signal, tell });
  tell({ event: "progress", text: "Connecting to traffic manager..." });
  const view = new WorldView();
  const link = building.use(
    await ManagerLink.open({
      api,
      namespace: request.managerNamespace,
      identity: await createIdentity(),
      onWorld: (world) => view.set(world),
    }),
  );
  const daemon = await daemonWait;
  const network = building.use(
    await openNetwork({ access, daemon, link, view }),
  );
  signal.throwIfAborted();
  const parts = { access, request, link, daemon, view, network };
  return new Connection(parts, building.move());
}

function accessOf(
  { kubeconfig, context, namespace }: ConnectRequest,
): Promise<ClusterAccess> {
  return loadAccess({
    env: Deno.env.toObject(),
    ...kubeconfig === undefined ? {} : { kubeconfig },
    ...context === undefined ? {} : { context },
    ...namespace === undefined ? {} : { namespace },
  });
}

async function openDaemon(
  building: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<DaemonClient> {
  await waitForDaemon({ timeoutMs: daemonPatienceMs, signal });
  const daemon = await connectDaemon();
  building.defer(() => daemon.close());
  return daemon;
}

interface Parts {
  access: ClusterAccess;
  request: ConnectRequest;
  link: ManagerLink;
  daemon: DaemonClient;
  view: WorldView;
  network: Network;
}

/** A connection that stands. */
export class Connection {
  readonly #parts: Parts;
  readonly #building: AsyncDisposableStack;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts, building: AsyncDisposableStack) {
    this.#parts = parts;
    this.#building = building;
  }

  /** Resolves when the connection cannot go on because the daemon is gone; the host is as it was by then. */
  get ended(): Promise<unknown> {
    return this.#parts.daemon.ended;
  }

  /** Undoes everything; resolves when the host is as it was. */
  close(): Promise<void> {
    return this.#closing ??= this.#building.disposeAsync();
  }

  /** @throws {ConnectError} `other-connection` when `request` wants another cluster or namespace than this connection has. */
  async mustServe(request: ConnectRequest): Promise<void> {
    const wanted = await accessOf(request);
    const { access, request: first } = this.#parts;
    const same = wanted.server.href === access.server.href &&
      wanted.context === access.context &&
      wanted.namespace === access.namespace &&
      request.managerNamespace === first.managerNamespace;
    if (same) return;
    throw new ConnectError({
      kind: "other-connection",
      cause:
        `Cannot connect to context "${wanted.context}", namespace "${wanted.namespace}": ` +
        `this laptop is connected to context "${access.context}", namespace "${access.namespace}"`,
    });
  }

  status(): Status {
    const { access, request, link, view, network } = this.#parts;
    const { trouble, roundTripMs } = link;
    const idle = idleStatus("Connected");
    return {
      user_daemon: {
        ...idle.user_daemon,
        ...trouble === undefined ? {} : { error: trouble },
        kubernetes_server: access.server.href.replace(/\/$/, ""),
        kubernetes_context: access.context,
        namespace: access.namespace,
        manager_namespace: request.managerNamespace,
      },
      root_daemon: { running: true, version, ...network.status(view.current) },
      traffic_manager: {
        name: "traffic-manager",
        version: releaseOf(link.managerProduct),
        ...roundTripMs === undefined ? {} : { round_trip_ms: roundTripMs },
      },
      traffic: network.traffic(),
    };
  }
}
