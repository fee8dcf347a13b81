import {
  ApiError,
  type KubernetesObject,
  type Resource,
  type WatchEvent,
} from "../../k8s/mod.ts";
import type { Clock } from "../../net/mod.ts";
import { keepSource } from "../source.ts";

/** A collection of ours may not be there yet: that its definition comes is soon noticed. */
const refusedPauseMs = 3_000;

export interface ObjectBookOptions<T extends KubernetesObject> {
  resource: Resource<T>;
  watch: (options: { signal: AbortSignal }) => AsyncIterable<WatchEvent<T>>;
  /** Which objects are meant; others are as if they were not there. */
  isOwn?: (object: T) => boolean;
  /** Told of each object that came, changed or went. */
  onChange: (change: { now?: T; before?: T }) => void;
  /** Told when all is known, each time anew. */
  onKnown: () => void;
  clock: Clock;
}

/** All objects of a small collection, kept up to date. Its definition may come later, and go. */
export class ObjectBook<T extends KubernetesObject> implements AsyncDisposable {
  readonly #options: ObjectBookOptions<T>;
  readonly #abort = new AbortController();
  readonly #objects = new Map<string, T>();
  readonly #byUid = new Map<string, T>();
  readonly #kept: Promise<void>;
  #isKnown = false;

  /** Starts to watch. */
  constructor(options: ObjectBookOptions<T>) {
    this.#options = options;
    const { signal } = this.#abort;
    const { resource: { plural }, clock } = options;
    this.#kept = keepSource({
      name: plural,
      refusedPauseMs,
      follow: () => this.#follow(signal),
      instead: () => {},
    }, { signal, clock });
  }

  /** False before all objects have been told once. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get objects(): Iterable<T> {
    return this.#objects.values();
  }

  find({ namespace, name }: { namespace: string; name: string }) {
    return this.#objects.get(`${namespace}/${name}`);
  }

  findByUid(uid: string): T | undefined {
    return this.#byUid.get(uid);
  }

  /** Takes what the API server answered to a write, unless the watch was faster. */
  learn(written: T, before: T): void {
    const known = this.#objects.get(keyOf(written));
    const { resourceVersion } = before.metadata;
    if (known?.metadata.resourceVersion === resourceVersion) this.#put(written);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#kept;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const former = new Set(this.#objects.keys());
    try {
      for await (const event of this.#options.watch({ signal })) {
        if (event.type === "SYNCED") {
          for (const key of former) this.#drop(key);
          former.clear();
          this.#isKnown = true;
          this.#options.onKnown();
          continue;
        }
        const key = keyOf(event.object);
        former.delete(key);
        const { isOwn = () => true } = this.#options;
        if (event.type === "DELETED" || !isOwn(event.object)) this.#drop(key);
        else this.#put(event.object);
      }
    } catch (error) {
      // Its definition is not there, so neither is any object.
      if (error instanceof ApiError && error.status === 404) {
        for (const key of [...this.#objects.keys()]) this.#drop(key);
      }
      throw error;
    }
  }

  #put(now: T): void {
    const key = keyOf(now);
    const before = this.#objects.get(key);
    if (before) this.#byUid.delete(before.metadata.uid!);
    this.#objects.set(key, now);
    this.#byUid.set(now.metadata.uid!, now);
    this.#options.onChange({ now, ...before ? { before } : {} });
  }

  #drop(key: string): void {
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#objects.delete(key);
    this.#byUid.delete(before.metadata.uid!);
    this.#options.onChange({ before });
  }
}

function keyOf({ metadata: { namespace = "", name = "" } }: KubernetesObject) {
  return `${namespace}/${name}`;
}
