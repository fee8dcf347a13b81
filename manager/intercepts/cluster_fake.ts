/** An API server in memory, for tests: objects, merge patches, watches. Nothing acts on the objects. */
import {
  ApiError,
  type KubernetesObject,
  type ListOptions,
  pathOf,
  type Pod,
  type Ref,
  type Resource,
  resourceOf,
  resources,
  type WatchEvent,
} from "../../k8s/mod.ts";
import type { ClusterApi } from "./cluster_api.ts";

interface Watcher {
  readonly path: string;
  readonly labelSelector: string | undefined;
  readonly queue: WatchEvent<KubernetesObject>[];
  wake: () => void;
}

export class FakeCluster implements ClusterApi {
  /** What was written, as `patch deployments/web`. */
  readonly written: string[] = [];
  /** Called instead of deleting an evicted pod; what it throws is thrown. */
  onEvict: ((pod: string) => void) | undefined;
  /** Called with what is created, before it is kept; may complete it. */
  onCreate:
    | ((resource: Resource, object: KubernetesObject) => void)
    | undefined;
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #watchers = new Set<Watcher>();
  #version = 0;

  /** Puts an object there as others do. */
  put<T extends KubernetesObject>(resource: Resource<T>, object: T): T {
    const path = pathOf(resource, placeOf(object));
    const before = this.#objects.get(path);
    const now = structuredClone(object);
    now.metadata.uid ??= before?.metadata.uid ??
      `uid-${path.split("/").at(-1)}`;
    now.metadata.creationTimestamp ??= "2026-01-01T00:00:00Z";
    now.metadata.resourceVersion = String(++this.#version);
    this.#objects.set(path, now);
    this.#tell(path, { type: before ? "MODIFIED" : "ADDED", object: now });
    return structuredClone(now);
  }

  remove(resource: Resource, ref: Ref): boolean {
    const path = pathOf(resource, ref);
    const object = this.#objects.get(path);
    if (object === undefined) return false;
    this.#objects.delete(path);
    this.#tell(path, { type: "DELETED", object });
    return true;
  }

  peek<T extends KubernetesObject>(
    resource: Resource<T>,
    ref: Ref,
  ): T | undefined {
    return structuredClone(this.#objects.get(pathOf(resource, ref))) as T;
  }

  find<T extends KubernetesObject>(resource: Resource<T>, ref: Ref) {
    return Promise.resolve(this.peek(resource, ref));
  }

  list<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListOptions = {},
  ): Promise<T[]> {
    return Promise.resolve(this.#listed(resource, options));
  }

  #listed<T extends KubernetesObject>(
    resource: Resource<T>,
    { namespace, labelSelector }: ListOptions,
  ): T[] {
    const path = pathOf(resource, { namespace });
    const found = [...this.#objects].filter(([key, object]) =>
      isBelow(key, path) && isSelected(object, labelSelector)
    );
    return found.map(([, one]) => structuredClone(one) as T);
  }

  async *watch<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void> {
    const { namespace, labelSelector, signal } = options;
    const path = pathOf(resource, { namespace });
    const watcher: Watcher = { path, labelSelector, queue: [], wake() {} };
    for (const object of this.#listed(resource, options)) {
      watcher.queue.push({ type: "ADDED", object });
    }
    watcher.queue.push({ type: "SYNCED" });
    this.#watchers.add(watcher);
    try {
      while (!signal?.aborted) {
        const event = watcher.queue.shift();
        if (event !== undefined) {
          yield structuredClone(event) as WatchEvent<T>;
          continue;
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        watcher.wake = resolve;
        signal?.addEventListener("abort", () => resolve(), { once: true });
        if (!signal?.aborted) await promise;
      }
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  // deno-lint-ignore require-await
  async create<T extends KubernetesObject>(
    resource: Resource<T>,
    object: T,
  ): Promise<T> {
    const { namespace, name, generateName } = object.metadata;
    const created = structuredClone(object);
    created.metadata.name ??= `${generateName}${this.#version}`;
    this.written.push(`create ${resource.plural}/${created.metadata.name}`);
    this.onCreate?.(resource, created);
    if (name && this.peek(resource, { name, ...namespace && { namespace } })) {
      throw refused(resource, 409, "AlreadyExists");
    }
    return this.put(resource, created);
  }

  replace(): Promise<never> {
    throw new TypeError("No test replaces objects");
  }

  apply<T extends KubernetesObject>(object: T): Promise<T> {
    const resource = resourceOf(object);
    this.written.push(`apply ${resource.plural}/${object.metadata.name}`);
    return Promise.resolve(this.put(resource, object));
  }

  // deno-lint-ignore require-await
  async patch<T extends KubernetesObject>(
    resource: Resource<T>,
    { changes, subresource, ...ref }: Ref & {
      changes: unknown;
      subresource?: string;
    },
  ): Promise<T> {
    const what = subresource ? `/${subresource}` : "";
    this.written.push(`patch ${resource.plural}/${ref.name}${what}`);
    const object = this.peek(resource, ref);
    if (object === undefined) throw refused(resource, 404, "NotFound");
    const version = (changes as Partial<T>).metadata?.resourceVersion;
    if (version && version !== object.metadata.resourceVersion) {
      throw refused(resource, 409, "Conflict");
    }
    return this.put(resource, merged(object, changes) as T);
  }

  delete(resource: Resource, ref: Ref): Promise<boolean> {
    this.written.push(`delete ${resource.plural}/${ref.name}`);
    return Promise.resolve(this.remove(resource, ref));
  }

  // deno-lint-ignore require-await
  async evict({ namespace, name }: Ref & { uid: string }): Promise<boolean> {
    this.written.push(`evict ${name}`);
    if (this.onEvict) this.onEvict(name);
    else this.remove(resources.pods, { name, ...namespace && { namespace } });
    return true;
  }

  #tell(path: string, event: WatchEvent<KubernetesObject>): void {
    for (const watcher of this.#watchers) {
      if (event.type === "SYNCED" || !isBelow(path, watcher.path)) continue;
      if (!isSelected(event.object, watcher.labelSelector)) continue;
      watcher.queue.push(structuredClone(event));
      watcher.wake();
    }
  }
}

/** What the API server says no with. */
export function refused(
  { plural, group }: Resource,
  status: number,
  reason: string,
): ApiError {
  const question = { verb: "write", resource: plural, group };
  return new ApiError(question, { status, reason, detail: reason });
}

/** A pod of Deployment "web" in namespace "shop". */
export function podOf(
  name: string,
  { annotations, agent = false, isReady = true, status, hash = "1" }: {
    annotations?: Record<string, string>;
    agent?: boolean;
    isReady?: boolean;
    status?: Pod["status"];
    hash?: string;
  } = {},
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...{ name, namespace: "shop", uid: `uid-${name}` },
      labels: { app: "web", "pod-template-hash": hash },
      ...annotations ? { annotations } : {},
      ownerReferences: [{
        ...{ apiVersion: "apps/v1", kind: "ReplicaSet", name: `web-${hash}` },
        ...{ uid: `uid-web-${hash}`, controller: true },
      }],
    },
    spec: {
      containers: [
        { name: "app" },
        ...agent ? [{ name: "traffic-agent" }] : [],
      ],
    },
    status: status ?? {
      phase: "Running",
      conditions: [
        { type: "PodScheduled", status: "True" },
        { type: "Ready", status: isReady ? "True" : "False" },
      ],
    },
  };
}

function placeOf({ metadata: { namespace, name = "" } }: KubernetesObject) {
  return { namespace, name };
}

/** `/api/v1/namespaces/shop/pods/a` is below itself without the name, and below the collection of all namespaces. */
function isBelow(path: string, collection: string): boolean {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return parent === collection ||
    parent.replace(/\/namespaces\/[^/]+/, "") === collection;
}

function isSelected(
  { metadata: { labels = {} } }: KubernetesObject,
  selector = "",
): boolean {
  return selector.split(",").filter(Boolean).every((one) => {
    const [key = "", value] = one.split("=");
    return value === undefined ? key in labels : labels[key] === value;
  });
}

/** RFC 7396. */
function merged(target: unknown, changes: unknown): unknown {
  if (!isObject(changes)) return changes;
  const result: Record<string, unknown> = isObject(target) ? target : {};
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
