/**
 * The intercepts of one connection.
 *
 * 1. The name is taken. Workload, Services, ports and container are looked up with the user's rights.
 * 2. The laptop's ports are taken, and the object is created: from then on the laptop's table knows it.
 * 3. When the manager says that the traffic comes, environment and volumes are fetched, and ports to the pod opened.
 * 4. It ends by `tp leave`, with who holds it, with its object, or with the connection: all of it is undone, backwards.
 */
import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { InterceptSpec } from "../../manager/api.ts";
import { formatWorkload } from "../../manager/client.ts";
import { absentNamespaceWarning } from "../cluster/absent_namespace.ts";
import { ConnectError } from "../failure.ts";
import { forbiddenToIntercept } from "../cluster/forbidden.ts";
import type { hostAddresses } from "../network/host_addresses.ts";
import type { Ip } from "../../net/mod.ts";
import type { ManagerLink } from "../session/link.ts";
import type { SearchList } from "../network/search_list.ts";
import { userName } from "../cluster/user_name.ts";
import type {
  InterceptInfo,
  InterceptRequest,
  LeaveOutcome,
  LeaveRequest,
  OwnIntercept,
} from "./api.ts";
import { HeldIntercept, type HeldParts } from "./held_intercept.ts";
import { localOnlyInfo } from "./intercept_info.ts";
import type { InterceptTable } from "./intercept_table.ts";
import { laptopAddress, mustResolve } from "./laptop_address.ts";
import { type LaptopName, laptopName } from "./laptop_name.ts";
import { LaptopPorts, warnOfSilence } from "./laptop_ports.ts";
import {
  openIntercept,
  type OpenOptions,
  type Surroundings,
} from "./open_intercept.ts";
import { OwnObjects } from "./own_objects.ts";
import { planPorts, type PortPlan } from "./port_plan.ts";
import type { SessionRecords } from "./session_records.ts";
import { findWorkload, shapeOf, uidsByName } from "./workload.ts";

const log = logger("connector");

export interface InterceptsOptions {
  api: ApiClient;
  link: Pick<ManagerLink, "use">;
  /** Of the key of all sessions. */
  thumbprint: string;
  /** The connection's. */
  namespace: string;
  managerNamespace: string;
  table: InterceptTable;
  search: SearchList;
  /** Those of the laptop, for all its connections; this one's own when absent. */
  ports?: LaptopPorts;
  /** Thumbprints of the keys of all connections of this laptop; this one's alone when absent. */
  sessions?: ReadonlySet<string>;
  /** Of what killed connectors have left. None when absent. */
  records?: SessionRecords;
  /** Those that the cluster has. */
  namespaces: () => readonly string[];
  /** By which address processes on the laptop reach one of the cluster. */
  toApp: (ip: Ip) => Ip;
  /** Whether this laptop reaches an address by way of the cluster. */
  leadsToCluster: (ip: Ip) => boolean;
  /** {@link laptopName} but in tests. */
  nameLaptop?: (owner: string) => Promise<LaptopName>;
  /** {@link hostAddresses} but in tests. */
  lookUp?: typeof hostAddresses;
}

export interface InterceptOptions {
  /** Calls it off. */
  signal: AbortSignal;
  /** Told of what takes time, and of what is not as it should be. */
  tell: (text: string) => void;
}

/** RFC 1123, short enough for the name of an object. */
const nameSyntax = /^(?=.{1,200}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

export class Intercepts implements AsyncDisposable {
  readonly #options: InterceptsOptions;
  readonly #all = new Map<string, HeldIntercept>();
  readonly #ports: LaptopPorts;
  readonly #objects: OwnObjects;
  #laptop: Promise<{ owner: string; name: LaptopName }> | undefined;
  #isClosed = false;

  constructor(options: InterceptsOptions) {
    this.#options = options;
    const { api, thumbprint: session, sessions = new Set(), records } = options;
    this.#ports = options.ports ?? new LaptopPorts();
    this.#objects = new OwnObjects({ api, session, sessions, records });
  }

  /**
   * Resolves when the traffic comes to the laptop.
   *
   * @throws {ConnectError} why it does not; nothing is left of it then.
   */
  async open(
    request: InterceptRequest,
    { signal, tell }: InterceptOptions,
  ): Promise<HeldIntercept> {
    const held = this.#take(request);
    // What undoing it meets with is told below.
    const callOff = () => void held.close().catch(() => {});
    signal.addEventListener("abort", callOff, { once: true });
    if (signal.aborted) callOff();
    try {
      const parts = await held.open((building) =>
        request.localOnly
          ? this.#openLocalOnly(request, { building, tell })
          : this.#open(request, { held, building, tell })
      );
      void parts.ended.then((reason) => {
        log.info("intercept ended", { name: held.name, reason });
        return this.#releaseQuietly(held);
      });
      return held;
    } catch (error) {
      await this.#releaseQuietly(held);
      throw error;
    } finally {
      signal.removeEventListener("abort", callOff);
    }
  }

  /** Whether it is there, or being made. */
  holds({ name, container }: Pick<LeaveRequest, "name" | "container">) {
    return this.#find(name, container) !== undefined;
  }

  /**
   * Resolves when this laptop has it no more; one that is being made is called off.
   *
   * @throws {ConnectError} `intercept-unknown`.
   */
  async leave(
    { name, container, onlyUnfinished = false }: LeaveRequest,
  ): Promise<LeaveOutcome> {
    const held = this.#find(name, container);
    if (held === undefined || onlyUnfinished && held.parts !== undefined) {
      throw new ConnectError({
        kind: "intercept-unknown",
        cause: `Intercept named "${name}" not found`,
      });
    }
    const { id } = held.parts?.info() ?? {};
    await this.release(held);
    return { isPending: id !== undefined && this.#objects.isGoing(id) };
  }

  /**
   * Undoes it; resolves when it is no more.
   *
   * @throws what of it could not be undone; its name is free all the same.
   */
  async release(held: HeldIntercept): Promise<void> {
    try {
      await held.close();
    } finally {
      if (this.#all.get(held.name) === held) this.#all.delete(held.name);
    }
  }

  /** Those that are open. */
  list(): InterceptInfo[] {
    return this.own().map(({ info }) => info);
  }

  /** The same, with what was asked for. */
  own(): OwnIntercept[] {
    return [...this.#all.values()].flatMap(({ request, parts }) => {
      if (parts === undefined) return [];
      const info = parts.info();
      return [{ request: { ...request, namespace: info.namespace }, info }];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#all.values()];
    await Promise.all(all.map((one) => this.#releaseQuietly(one)));
    await this.#objects[Symbol.asyncDispose]();
  }

  /** One that cannot be undone altogether does not keep the others from it. */
  async #releaseQuietly(held: HeldIntercept): Promise<void> {
    try {
      await this.release(held);
    } catch (error) {
      log.error("intercept not undone", { name: held.name, error });
    }
  }

  #take(request: InterceptRequest): HeldIntercept {
    const { name } = request;
    if (this.#isClosed) {
      const cause = "Cannot intercept: the connection is ending";
      throw new ConnectError({ kind: "called-off", cause });
    }
    if (!nameSyntax.test(name)) {
      throw new ConnectError({
        kind: "intercept-name",
        cause:
          `Cannot name an intercept "${name}": that is no name in Kubernetes`,
      });
    }
    if (this.#all.has(name)) {
      throw new ConnectError({
        kind: "intercept-exists",
        cause: `Intercept with name "${name}" already exists`,
      });
    }
    const held = new HeldIntercept(request);
    this.#all.set(name, held);
    return held;
  }

  /** One of several containers of a workload may be named after both. */
  #find(name: string, container: string | undefined) {
    if (container === undefined) return this.#all.get(name);
    return this.#all.get(`${name}-${container}`) ??
      [...this.#all.values()].find((one) =>
        one.name === name && one.request.container === container
      );
  }

  #openLocalOnly(
    { name, namespace = this.#options.namespace }: InterceptRequest,
    { building, tell }: Pick<Surroundings, "building" | "tell">,
  ): Promise<HeldParts> {
    if (!this.#options.namespaces().includes(namespace)) {
      tell(absentNamespaceWarning(namespace));
    }
    building.use(this.#options.search.add(namespace));
    const info = localOnlyInfo({ name, namespace });
    const never = new Promise<string>(() => {});
    return Promise.resolve({
      ...{ info: () => info, ended: never, failed: never, onTurn: () => {} },
    });
  }

  async #open(
    request: InterceptRequest,
    { held, building, tell }: {
      held: HeldIntercept;
      building: AsyncDisposableStack;
      tell: (text: string) => void;
    },
  ): Promise<HeldParts> {
    const { signal } = held;
    const { namespace = this.#options.namespace } = request;
    const { spec, plan, label, serviceUids } = await this.#plan(request, {
      ...{ signal, tell },
    });
    const address = laptopAddress(request.address, this.#options);
    const ip = await mustResolve(address, signal);
    const ports = plan.ports.map(({ pod, laptop }) => ({ pod, laptop }));
    building.use(this.#ports.take(request.name, { ip, ports }));
    const isOfLaptop = request.mode !== "proxy-via";
    if (isOfLaptop && !request.isHeld && !request.isServedLater) {
      await warnOfSilence({ address, ports }, tell);
    }
    signal.throwIfAborted();
    if (isOfLaptop) building.use(this.#options.search.add(namespace));
    return await openIntercept({
      ...this.#options,
      objects: this.#objects,
      ...{ request, namespace, spec, label, address, ports, serviceUids },
    }, { building, signal, tell });
  }

  /** What the object shall say. */
  async #plan(
    request: InterceptRequest,
    { signal, tell }: InterceptOptions,
  ): Promise<
    & { spec: InterceptSpec; plan: PortPlan }
    & Pick<OpenOptions, "label" | "serviceUids">
  > {
    const { api, thumbprint, managerNamespace: manager } = this.#options;
    const { name, mode, namespace = this.#options.namespace } = request;
    const { match, subnets } = request;
    try {
      const wanted = request.workload ?? name;
      const [{ ref, workload }, { owner, name: laptop }] = await Promise.all([
        findWorkload(api, { namespace, wanted, signal }),
        this.#who(),
      ]);
      tell(`Using ${ref.kind} ${ref.name}`);
      const shape = await shapeOf(api, workload, { signal });
      const plan = planPorts(
        { ...request, workload: formatWorkload(ref) },
        shape,
      );
      const spec: InterceptSpec = {
        ...{ name, owner, session: thumbprint, manager, client: laptop.client },
        ...{ workload: ref, mode, container: plan.container },
        ports: plan.ports.map(({ pod }) => pod),
        ...match === undefined ? {} : { match },
        ...subnets === undefined ? {} : { subnets },
      };
      const serviceUids = uidsByName(shape.services);
      return { spec, plan, label: laptop.label, serviceUids };
    } catch (error) {
      const isForbidden = error instanceof ApiError && error.status === 403;
      if (!isForbidden) throw error;
      throw await forbiddenToIntercept(api, { namespace, cause: error });
    }
  }

  /** Who this is, asked until it is known. */
  #who(): Promise<{ owner: string; name: LaptopName }> {
    return this.#laptop ??= this.#askWho().catch((error) => {
      this.#laptop = undefined;
      throw error;
    });
  }

  async #askWho(): Promise<{ owner: string; name: LaptopName }> {
    const { api, nameLaptop = laptopName } = this.#options;
    const owner = await userName(api);
    if (owner === undefined) {
      throw new ConnectError({
        kind: "intercept-failed",
        cause: "Cannot intercept: the API server does not tell who you are",
      });
    }
    return { owner, name: await nameLaptop(owner) };
  }
}
