/** The API server as typed questions. Every method throws {@link ApiError}, {@link ApiUnreachableError} or {@link CredentialError}. */
import { type Clock, type Conn, pause, systemClock } from "../net/mod.ts";
import { childrenEnded } from "./_kubectl_child.ts";
import { PortForwarder } from "./_port_forward.ts";
import type { PortForwardOptions, PortForwardWay } from "./_way.ts";
import { type ApiRequest, Requests } from "./_requests.ts";
import {
  applyRequest,
  createRequest,
  deleteRequest,
  pageRequest,
  patchRequest,
  replaceRequest,
  watchRequest,
} from "./_object_requests.ts";
import { runInPod } from "./_upgrade_ways.ts";
import { watchCollection, type WatchEvent } from "./_watch.ts";
import { ask } from "./_ask.ts";
import type { ClusterAccess } from "./access.ts";
import { isApiError } from "./api_error.ts";
import type {
  ApplyOptions,
  DeleteOptions,
  ListOptions,
  LogOptions,
  Options,
  Ref,
  ServerVersion,
  WriteOptions,
} from "./api_options.ts";
import type { KubernetesObject, ObjectList } from "./object.ts";
import { type Resource, resourceOf, resources } from "./resource.ts";

export interface OpenApiOptions {
  clock?: Clock;
  /** What the API server's audit log shows. */
  userAgent?: string;
  /** How port-forwards are tried first: what `onPortForwardWay` was told another time. */
  portForwardWay?: PortForwardWay | undefined;
  /** Called with each other way that is tried first from then on, since it worked where better ones do not. */
  onPortForwardWay?: (way: PortForwardWay) => void;
}

/** Makes a client. Nothing is connected before the first question. */
export function openApi(
  access: ClusterAccess,
  options: OpenApiOptions = {},
): ApiClient {
  const { clock = systemClock, userAgent = "tp" } = options;
  const requests = new Requests(access, { clock, userAgent });
  const forwarder = new PortForwarder(requests, {
    way: options.portForwardWay,
    onWay: options.onPortForwardWay,
  });
  return new ApiClient({ requests, forwarder, fieldManager: userAgent });
}

/** How long a page may take to be read and made use of, in ms. */
const pageMs = 60_000;

export class ApiClient implements AsyncDisposable {
  readonly #requests: Requests;
  readonly #forwarder: PortForwarder;
  readonly #fieldManager: string;
  readonly #closed = new AbortController();

  /** @see openApi */
  constructor({ requests, forwarder, fieldManager }: {
    requests: Requests;
    forwarder: PortForwarder;
    fieldManager: string;
  }) {
    this.#requests = requests;
    this.#forwarder = forwarder;
    this.#fieldManager = fieldManager;
  }

  get access(): ClusterAccess {
    return this.#requests.access;
  }

  /** By how much this host's clock is before the server's, to the second; `undefined` before an answer told the time. */
  get clockLeadMs(): number | undefined {
    return this.#requests.clockLeadMs;
  }

  get<T extends KubernetesObject>(
    resource: Resource<T>,
    ref: Ref,
    options: Options = {},
  ): Promise<T> {
    return this.#requests.json({
      ...ask("get", resource, ref),
      method: "GET",
      signal: options.signal,
    });
  }

  /** Like {@link ApiClient.get}, `undefined` when there is no such object. */
  async find<T extends KubernetesObject>(
    resource: Resource<T>,
    ref: Ref,
    options: Options = {},
  ): Promise<T | undefined> {
    try {
      return await this.get(resource, ref, options);
    } catch (error) {
      if (isApiError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** All objects, read page by page. */
  async list<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListOptions = {},
  ): Promise<T[]> {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const request = pageRequest(resource, options, next);
      const page = await this.#requests.json<ObjectList<T>>(request);
      items.push(...page.items);
      next = page.metadata.continue;
    } while (next);
    return items;
  }

  /**
   * What is there, then what changes; ends when `signal` aborts or the client is disposed. The connection is kept alive
   * and made anew as needed. A consumer that is slow makes the server wait.
   */
  async *watch<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void> {
    const own = new AbortController();
    const signal = AbortSignal.any([
      own.signal,
      this.#closed.signal,
      ...options.signal ? [options.signal] : [],
    ]);
    const { clock } = this.#requests;
    try {
      yield* watchCollection<T>({
        listPage: ({ continue: next, signal }) =>
          this.#requests.stream({
            ...pageRequest(resource, options, next),
            ...{ signal, lifetimeMs: pageMs },
          }),
        watchFrom: ({ resourceVersion, signal }) =>
          this.#requests.stream(
            watchRequest(resource, { ...options, signal, resourceVersion }),
          ),
        sorted: (error) => this.#requests.sorted(error, signal),
        pause: (ms) => pause(ms, { clock, signal }),
      }, signal);
    } finally {
      own.abort();
    }
  }

  create<T extends KubernetesObject>(
    resource: Resource<T>,
    object: T,
    options: WriteOptions & { namespace?: string } = {},
  ): Promise<T> {
    const namespace = options.namespace ?? object.metadata.namespace;
    const request = createRequest(resource, { namespace }, object);
    return this.#write(request, options);
  }

  /** Makes a subresource of an object that is there, such as the `eviction` of a pod. */
  createSubresource<T extends KubernetesObject>(
    resource: Resource,
    ref: Ref & { subresource: string; body: KubernetesObject },
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#write(createRequest(resource, ref, ref.body), options);
  }

  /** Makes the object's fields be as they are here, whether it exists or not (server-side apply). */
  apply<T extends KubernetesObject>(
    object: T,
    options: ApplyOptions = {},
  ): Promise<T> {
    const resource = options.resource ?? resourceOf(object);
    return this.#write(applyRequest(resource, object, options), options);
  }

  /** Merges `changes` into the object (RFC 7396): `null` removes a field, lists are replaced whole. */
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    ref: Ref & { changes: unknown; subresource?: string },
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#write(patchRequest(resource, ref), options);
  }

  /** Replaces the object; its `resourceVersion` guards against changes of others. */
  replace<T extends KubernetesObject>(
    resource: Resource<T>,
    object: T,
    options: WriteOptions & { subresource?: string } = {},
  ): Promise<T> {
    return this.#write(replaceRequest(resource, object, options), options);
  }

  /** Deletes the object. Resolves to false when there was none. */
  async delete(
    resource: Resource,
    ref: Ref,
    options: DeleteOptions = {},
  ): Promise<boolean> {
    try {
      await this.#requests.text(deleteRequest(resource, ref, options));
      return true;
    } catch (error) {
      if (isApiError(error, "NotFound")) return false;
      throw error;
    }
  }

  /**
   * Has a pod go as a drain of its node would. Resolves to false when there is none, or it is another one of the name.
   *
   * @throws {ApiError} 429 while a PodDisruptionBudget holds it.
   */
  async evict(
    { namespace, name, uid }: Ref & { uid: string },
    options: Options = {},
  ): Promise<boolean> {
    const body = {
      ...{ apiVersion: "policy/v1", kind: "Eviction" },
      metadata: { name, ...namespace ? { namespace } : {} },
      deleteOptions: { preconditions: { uid } },
    };
    const ref = { name, ...namespace ? { namespace } : {} };
    try {
      await this.createSubresource(resources.pods, {
        ...{ ...ref, subresource: "eviction", body },
      }, options);
      return true;
    } catch (error) {
      if (isApiError(error, "NotFound") || isApiError(error, "Conflict")) {
        return false;
      }
      throw error;
    }
  }

  version(options: Options = {}): Promise<ServerVersion> {
    return this.#requests.json({
      question: { verb: "get", resource: "version" },
      method: "GET",
      path: "/version",
      signal: options.signal,
    });
  }

  /** The last lines of what a pod's container wrote. */
  logs(
    ref: Ref,
    options: LogOptions = {},
  ): Promise<string> {
    const { container, tailLines = 100, previous, signal } = options;
    return this.#requests.text({
      ...ask("get", resources.pods, { ...ref, subresource: "log" }),
      method: "GET",
      query: { container, tailLines, previous },
      signal,
    });
  }

  /**
   * A byte flow to a port inside a pod. Resolves when the cluster has taken it; that nobody listens on the port shows
   * here or at the first read, as {@link RefusedError}. Container runtimes take the end of our direction for the end
   * of both: whoever wants an answer after it must not call `closeWrite`.
   *
   * There are several ways; see {@link PortForwardWay}.
   */
  portForward(options: PortForwardOptions): Promise<Conn> {
    return this.#forwarder.open(options);
  }

  /**
   * What a command in a pod's container writes to its standard output; it has nothing to read.
   *
   * @throws {RefusedError} when it cannot be run, or fails without having written anything.
   */
  run(
    ref: Ref & { namespace: string; container: string; command: string[] },
    options: Options = {},
  ): Promise<Conn> {
    const { name: pod, ...command } = ref;
    const signal = options.signal ?? this.#closed.signal;
    return runInPod(this.#requests, { pod, ...command }, signal);
  }

  /** How the last port-forward was made; `undefined` before the first. */
  get portForwardWay(): PortForwardWay | undefined {
    return this.#forwarder.way;
  }

  /** Ends watches and questions. Flows of {@link ApiClient.portForward} go on; nothing runs for those that were closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#requests[Symbol.dispose]();
    await childrenEnded();
  }

  #write<T>(request: ApiRequest, options: WriteOptions): Promise<T> {
    const { dryRun, fieldManager = this.#fieldManager, signal } = options;
    return this.#requests.json({
      ...request,
      query: {
        ...request.query,
        fieldManager,
        dryRun: dryRun ? "All" : undefined,
      },
      signal,
    });
  }
}
