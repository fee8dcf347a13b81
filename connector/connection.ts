/**
 * One connection: this laptop and one cluster.
 *
 * 1. The kubeconfig is read, the API server asked and the manager looked for. One that is ready is connected to. So what
 *    is wrong in the cluster is told before root is needed.
 * 2. The host's network is opened, unless another connection uses it: the host is ready before the cluster is changed.
 * 3. A manager that is missing is installed; the session is made.
 * 4. It joins the host's network: names are answered, routes are set, and follow the cluster.
 * 5. What connections that were killed have left in the cluster is deleted. Intercepts come and go while it stands, those first
 *    by which workloads' pods dial.
 *
 * Undoing is this read backwards.
 */
import { isDeepStrictEqual } from "node:util";
import { version } from "../build.ts";
import type { ClusterAccess } from "../k8s/mod.ts";
import type {
  ConnectEvent,
  ConnectRequest,
  LeaveRequest,
  Status,
} from "./api.ts";
import { accessOf, Approach } from "./approach.ts";
import { parseDnsSettings } from "./network/dns_settings.ts";
import { ConnectError } from "./failure.ts";
import type { InterceptInfo } from "./intercepts/api.ts";
import { InterceptCalls } from "./intercepts/intercept_calls.ts";
import { InterceptTable } from "./intercepts/intercept_table.ts";
import { Intercepts } from "./intercepts/intercepts.ts";
import type { LaptopPorts } from "./intercepts/laptop_ports.ts";
import { deleteLeftObjects } from "./intercepts/left_objects.ts";
import { SessionRecords } from "./intercepts/session_records.ts";
import { BroughtFlows } from "../manager/api.ts";
import type { HostNetwork, Membership } from "./network/host_network.ts";
import type { Hosts } from "./hosts.ts";
import type { AskedManager } from "./process/log_level.ts";
import type { ManagerLink } from "./session/link.ts";
import { wantsSameNamespaces } from "./cluster/mapped_namespaces.ts";
import { parseProxyWishes, wantsSameProxied } from "./network/proxy_wishes.ts";
import { SearchList } from "./network/search_list.ts";
import { idleStatus, interceptStatus, managerStatus } from "./status.ts";
import {
  parseSubnetWishes,
  wantsSameSubnets,
} from "./network/subnet_wishes.ts";

export interface ConnectOptions {
  /** Calls the connecting off. */
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
  /** No other connection of this laptop has it. */
  name: string;
  hosts: Hosts;
  /** Ports of the laptop, whichever connection's intercepts lead to them. */
  ports: LaptopPorts;
  /** Thumbprints of the keys of this laptop's connections, each from before it has an object in the cluster until it has none. */
  sessions: Set<string>;
}

/**
 * Builds the connection.
 *
 * @throws {ConnectError} or what the rooms below throw; everything that was built is undone by then.
 */
export async function connect(
  request: ConnectRequest,
  { signal, tell, name, hosts, ports, sessions }: ConnectOptions,
): Promise<Connection> {
  const rules = parseDnsSettings(request.dns);
  const wishes = parseSubnetWishes(request);
  const proxyWishes = parseProxyWishes(request);
  await using building = new AsyncDisposableStack();
  const table = new InterceptTable();
  const brought = new BroughtFlows();
  const approach = building.use(
    await Approach.open(request, {
      ...{ signal, tell },
      serve: (incoming) => {
        if (!brought.serve(incoming)) table.serve(incoming);
      },
    }),
  );
  const { access, api, view, identity: { thumbprint } } = approach;
  sessions.add(thumbprint);
  building.defer(() => void sessions.delete(thumbprint));
  const { host } = building.use(await hosts.use({ signal, tell }));
  const link = await approach.arrive();
  if (view.current.namespaces.includes(name)) {
    const text = `Warning: "service.${name}" is one of connection "${name}" ` +
      "first, then one of the namespace that is called so, too";
    tell({ event: "progress", text });
  }
  const search = new SearchList(access.namespace);
  const membership = building.use(
    await host.join({
      ...{ name, access, link, view, brought },
      ...{ search: () => search.current, rules, wishes, proxyWishes },
      mapped: approach.mapped,
    }),
  );
  // While routes lead to it: who has a flow open is told that it ends.
  building.use(approach);
  const records = new SessionRecords({ server: access.server });
  const intercepts = building.use(
    new Intercepts({
      ...{ api, link, table, search, ports, sessions, records },
      namespaces: () => view.current.namespaces,
      toApp: (ip) => membership.toApp(ip),
      leadsToCluster: (ip) => host.leadsToCluster(ip),
      ...{ namespace: access.namespace, thumbprint },
      managerNamespace: request.managerNamespace,
    }),
  );
  signal.throwIfAborted();
  await deleteLeftObjects({ api, records, sessions, signal });
  const { namespace } = access;
  const { mapped } = approach;
  const calls = building.use(
    new InterceptCalls({ api, intercepts, namespace }),
  );
  await membership.vias.open(intercepts, {
    signal,
    tell: (text) => tell({ event: "progress", text }),
  });
  const parts = {
    ...{ name, access, request, link, host, membership, mapped },
    ...{ intercepts, calls },
  };
  return new Connection(parts, building.move());
}

interface Parts {
  name: string;
  access: ClusterAccess;
  request: ConnectRequest;
  link: ManagerLink;
  host: HostNetwork;
  membership: Membership;
  mapped: readonly string[] | undefined;
  intercepts: Intercepts;
  calls: InterceptCalls;
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

  get name(): string {
    return this.#parts.name;
  }

  /** Resolves when no connection can go on: the daemon is gone, and the host as it was, or the device is. */
  get ended(): Promise<unknown> {
    return this.#parts.host.ended;
  }

  /** Undoes everything; resolves when the host is as it was. */
  close(): Promise<void> {
    return this.#closing ??= this.#building.disposeAsync();
  }

  /** @throws {ConnectError} `other-connection` when `request` wants what this connection is not. */
  async mustServe(request: ConnectRequest): Promise<void> {
    const wanted = await accessOf(request);
    const { access, request: { managerNamespace } } = this.#parts;
    const same = wanted.server.href === access.server.href &&
      wanted.context === access.context &&
      wanted.namespace ===
        (request.namespace === undefined ? wanted : access).namespace &&
      request.managerNamespace === managerNamespace;
    if (same) return this.#mustHaveSettings(request);
    const asked = placeOf(wanted, request.managerNamespace);
    throw new ConnectError({
      kind: "other-connection",
      cause: `Cannot connect to ${asked}: this laptop is connected to ${
        placeOf(access, managerNamespace)
      }`,
    });
  }

  /** @throws {ConnectError} when the request has settings, and this connection has others. */
  #mustHaveSettings(request: ConnectRequest): void {
    const { request: own } = this.#parts;
    const { dns } = request;
    const same = {
      dns: dns === undefined || isDeepStrictEqual(dns, own.dns),
      subnet: wantsSameSubnets(request, own) &&
        wantsSameProxied(request, own),
      namespace: wantsSameNamespaces(request, own),
    };
    const [other] = Object.entries(same).find(([, isSame]) => !isSame) ?? [];
    if (other === undefined) return;
    const cause = `Cannot connect with other ${other} settings: ` +
      "this laptop is connected to that cluster already";
    throw new ConnectError({ kind: "other-connection", cause });
  }

  /** Whether it has that intercept, or makes it. */
  holds(asked: Pick<LeaveRequest, "name" | "container">): boolean {
    return this.#parts.intercepts.holds(asked);
  }

  /** Ends that intercept; the answer says so, or why it could not. */
  leave(request: LeaveRequest): Promise<Response> {
    return this.#parts.calls.leave(request);
  }

  /** What else this connection is asked beside its state; `undefined` for what it does not know. */
  answer(request: Request): Promise<Response | undefined> {
    return this.#parts.calls.answer(request);
  }

  /** The manager's copy that is used. */
  get manager(): AskedManager {
    const { link, intercepts } = this.#parts;
    const own = intercepts.list().filter(({ id }) => id !== "");
    const nameOf = ({ workload, namespace }: InterceptInfo) =>
      `${workload}.${namespace}`;
    const workloads = new Map(own.map((one) => [
      `${one.workload_kind} ${nameOf(one)}`,
      { intercept: one.id, name: nameOf(one) },
    ]));
    return {
      pod: link.status().pod,
      use: (open) => link.use(open),
      workloads: [...workloads.values()],
    };
  }

  status(): Status {
    const { name, access, request, link, host, membership } = this.#parts;
    const { mapped, intercepts } = this.#parts;
    const way = link.status();
    const idle = idleStatus("Connected");
    return {
      user_daemon: {
        ...idle.user_daemon,
        ...way.trouble === undefined ? {} : { error: way.trouble },
        name,
        kubernetes_server: access.server.href.replace(/\/$/, ""),
        kubernetes_context: access.context,
        ...request.kubeconfig === undefined
          ? {}
          : { kubeconfig: request.kubeconfig },
        namespace: access.namespace,
        manager_namespace: request.managerNamespace,
        ...mapped ? { mapped_namespaces: mapped } : {},
        ...interceptStatus(intercepts.list()),
      },
      root_daemon: { running: true, version, ...membership.status() },
      traffic_manager: managerStatus(way),
      traffic: host.traffic(),
    };
  }
}

/** What tells connections apart, in words. */
function placeOf(
  { context, server, namespace }: ClusterAccess,
  managerNamespace: string,
): string {
  return `context "${context}" (${server.origin}), namespace "${namespace}", ` +
    `manager in "${managerNamespace}"`;
}
