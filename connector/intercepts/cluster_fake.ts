/** An API server in memory, as far as intercepts need one, and the way to a manager. */
import {
  type ApiClient,
  ApiError,
  ApiUnreachableError,
  type KubernetesObject,
  type Ref,
  type Resource,
  type Service,
  type WatchEvent,
} from "../../k8s/mod.ts";
import type {
  ContainerEnvironment,
  Intercept,
  InterceptStatus,
} from "../../manager/api.ts";
import type { AppWorkload, Manager } from "../../manager/client.ts";
import { connPair, writeAll } from "../../net/mod.ts";
import type { ManagerLink } from "../session/link.ts";

/** What becomes of a question: it does not arrive, or the answer does not. */
export type Loss = "question" | "answer";

type Listener = (event: WatchEvent<KubernetesObject>) => void;

export class FakeCluster {
  /** By plural and name, whatever the namespace. */
  readonly objects = new Map<string, KubernetesObject>();
  readonly deleted: string[] = [];
  /** Thrown by the next creation of an intercept. */
  refusal: ApiError | undefined;
  /** Asked for each question about intercepts, by its verb. */
  loses: (verb: string) => Loss | undefined = () => undefined;
  /** Whether the question who asks is answered. */
  isUserTold = true;
  /** What the manager writes into each intercept that is made. */
  status: InterceptStatus | undefined = { phase: "Active" };
  environment: ContainerEnvironment = { environment: {}, mounts: [] };
  readonly #listeners = new Set<Listener>();
  /** Thrown by watches as long as it is there. */
  #hidden: ApiError | undefined;
  #uid = 0;

  put(plural: string, object: KubernetesObject): void {
    this.objects.set(`${plural}/${object.metadata.name}`, object);
  }

  intercepts(): Intercept[] {
    return this.#of("intercepts") as Intercept[];
  }

  setStatus(intercept: Intercept, status: InterceptStatus): void {
    const changed = { ...intercept, status };
    this.put("intercepts", changed);
    this.#tell({ type: "MODIFIED", object: changed });
  }

  /** As somebody else does it. */
  remove(plural: string, name: string): boolean {
    const object = this.objects.get(`${plural}/${name}`);
    if (object === undefined) return false;
    this.objects.delete(`${plural}/${name}`);
    this.deleted.push(name);
    this.#tell({ type: "DELETED", object });
    return true;
  }

  get api(): ApiClient {
    const find = ({ plural }: Resource, { name }: Ref) =>
      this.#asked("get", plural, () => this.objects.get(`${plural}/${name}`));
    return {
      get: async (resource: Resource, ref: Ref) => {
        const found = await find(resource, ref);
        if (found === undefined) throw refusal(404, "NotFound", resource);
        return found;
      },
      find,
      list: ({ plural }: Resource) =>
        this.#asked("list", plural, () => this.#of(plural)),
      create: (resource: Resource, object: KubernetesObject) =>
        this.#asked(
          "create",
          resource.plural,
          () => this.#create(resource, object),
        ),
      delete: (
        { plural }: Resource,
        { name }: Ref,
        { uid }: { uid?: string },
      ) => this.#asked("delete", plural, () => this.#delete(plural, name, uid)),
      watch: (
        { plural }: Resource,
        { signal }: { signal: AbortSignal },
      ) => this.#watch(plural, signal),
    } as unknown as ApiClient;
  }

  /** To a manager that gives the environment, and nothing else. */
  get link(): Pick<ManagerLink, "use"> {
    const manager = {
      pod: async () => {
        const [near, far] = connPair();
        const text = JSON.stringify(this.environment);
        await writeAll(far, new TextEncoder().encode(text));
        await far.closeWrite();
        return near;
      },
    } as unknown as Manager;
    return { use: (open) => open(manager) };
  }

  #of(plural: string): KubernetesObject[] {
    return [...this.objects].filter(([key]) => key.startsWith(`${plural}/`))
      .map(([, object]) => object);
  }

  async #asked<T>(verb: string, plural: string, answer: () => T): Promise<T> {
    const lost = plural === "intercepts" ? this.loses(verb) : undefined;
    const value = lost === "question" ? undefined : await answer();
    if (lost !== undefined) throw unanswered();
    return value as T;
  }

  #delete(plural: string, name: string, uid: string | undefined): boolean {
    const found = this.objects.get(`${plural}/${name}`);
    if (found && uid !== undefined && found.metadata.uid !== uid) {
      throw refusal(409, "Conflict", { plural });
    }
    return this.remove(plural, name);
  }

  #create({ plural }: Resource, object: KubernetesObject): KubernetesObject {
    if (plural === "selfsubjectreviews") {
      if (!this.isUserTold) throw unanswered();
      return { ...object, status: { userInfo: { username: "anna" } } } as never;
    }
    if (plural === "selfsubjectaccessreviews") {
      return { ...object, status: { allowed: false } } as never;
    }
    if (this.refusal !== undefined) throw this.refusal;
    if (this.objects.has(`${plural}/${object.metadata.name}`)) {
      throw refusal(409, "AlreadyExists", { plural });
    }
    const uid = `uid-${++this.#uid}`;
    const made = { ...object, metadata: { ...object.metadata, uid } };
    this.put(plural, made);
    const { status } = this;
    if (status !== undefined) {
      setTimeout(() => {
        if (this.objects.get(`${plural}/${object.metadata.name}`) === made) {
          this.setStatus(made as Intercept, status);
        }
      });
    }
    return made;
  }

  async *#watch(
    plural: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<KubernetesObject>> {
    const events: WatchEvent<KubernetesObject>[] = [
      ...this.#of(plural).map((object) => ({ type: "ADDED", object }) as const),
      { type: "SYNCED" },
    ];
    if (this.#hidden !== undefined) throw this.#hidden;
    let wake = () => {};
    const listener: Listener = (event) => {
      events.push(event);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => wake());
    while (!signal.aborted) {
      if (this.#hidden !== undefined) break;
      const event = events.shift();
      if (event !== undefined) yield event;
      else await new Promise<void>((resolve) => wake = resolve);
    }
    this.#listeners.delete(listener);
    if (!signal.aborted && this.#hidden !== undefined) throw this.#hidden;
  }

  /** Takes the right to watch, or gives it back. */
  hide(refusal: ApiError | undefined): void {
    this.#hidden = refusal;
    this.#tell({ type: "SYNCED" });
  }

  #tell(event: WatchEvent<KubernetesObject>): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function unanswered(): ApiUnreachableError {
  const obstacle = { kind: "reset", detail: "lost" } as const;
  return new ApiUnreachableError(new URL("https://k8s.invalid"), obstacle);
}

/** What the API server answers. */
export function refusal(
  status: number,
  reason: string,
  { plural, detail = "no" }: { plural: string; detail?: string },
): ApiError {
  const question = { verb: "create", resource: plural };
  return new ApiError(question, { status, reason, detail });
}

/** A workload of one container, whose port 8080 is called http. */
export function workload(
  name: string,
  more: Partial<AppWorkload["spec"] & Record<string, unknown>> = {},
): AppWorkload {
  return {
    metadata: { name, namespace: "orders", uid: `uid-of-${name}` },
    spec: {
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [{
            name: "app",
            ports: [{ name: "http", containerPort: 8080 }],
          }],
        },
      },
      ...more,
    },
  };
}

export function service(name: string): Service {
  return {
    metadata: { name, namespace: "orders", uid: `uid-of-service-${name}` },
    spec: {
      selector: { app: name },
      ports: [{ name: "main", port: 80, targetPort: "http" }],
    },
  };
}
