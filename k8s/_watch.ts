/**
 * A collection as it is and as it changes.
 *
 * 1. The collection is listed, page by page; each object is told while its page arrives, as added, or changed where it
 *    was known already; what was known and is not there any more is told as deleted.
 * 2. It is watched from the list's version on. Bookmarks move the version forward while nothing changes.
 * 3. When the watch ends, it is taken up at the last version; when that is gone (410), all starts at 1.
 */
import { logger } from "../log.ts";
import { jsonLines } from "./_json_lines.ts";
import type { PoolResponse } from "./_http_pool.ts";
import { listItems } from "./_list_items.ts";
import { ApiError, type StatusBody } from "./api_error.ts";
import type { KubernetesObject, ListMeta } from "./object.ts";
import { ApiUnreachableError } from "./unreachable.ts";

/** One thing that happened to a collection. */
export type WatchEvent<T extends KubernetesObject> =
  | { type: "ADDED" | "MODIFIED"; object: T }
  /** Of the object nothing but `metadata.name`, `namespace` and `uid` is sure to be there. */
  | { type: "DELETED"; object: KubernetesObject }
  /** All that is in the collection has been told. Comes after each list. */
  | { type: "SYNCED" };

export interface WatchSource {
  /** A page of the list: its first, or what another page said in `continue`. */
  listPage(
    o: { continue?: string | undefined; signal: AbortSignal },
  ): Promise<PoolResponse>;
  watchFrom(
    o: { resourceVersion: string; signal: AbortSignal },
  ): Promise<PoolResponse>;
  /** Turns an error of reading into one that this room tells. */
  sorted(error: unknown): unknown;
  /** Resolves after so many ms. */
  pause(ms: number): Promise<void>;
}

const log = logger("k8s");

const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** What the server sends while it is watched. */
interface Line {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: KubernetesObject & StatusBody & { code?: number };
}

/**
 * Tells what is there and what changes, until `signal` aborts; then it ends. A lost connection is made again with
 * growing, jittered pauses.
 *
 * @throws {ApiError} when the server says no (but for 410, and failures of its own after the first list).
 * @throws {ApiUnreachableError} or what else fails, before the first list is told.
 */
export async function* watchCollection<T extends KubernetesObject>(
  source: WatchSource,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void> {
  const view = new View<T>();
  let synced = false;
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    view.heard = false;
    try {
      if (view.version === "") yield* tellList(view, source, signal);
      synced = true;
      yield* tellChanges(view, source, signal);
    } catch (thrown) {
      const error = source.sorted(thrown);
      if (signal.aborted) return;
      if (isGone(error)) view.version = "";
      else if (!synced || !isPassing(error)) throw error;
      log.debug("watch interrupted", { error });
    }
    if (view.heard) pauseMs = firstPauseMs;
    await source.pause(pauseMs * (0.5 + Math.random()));
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** What has been told. */
class View<T extends KubernetesObject> {
  /** Where to take up the watch; empty: the collection must be listed. */
  version = "";
  /** Whether anything came since this was set to false. */
  heard = false;
  /** What is there, by namespace and name: of tens of thousands, little is kept. */
  readonly #known = new Map<string, Known>();

  /** The event for an object that is there; none when this version of it has been told. */
  put(object: T): WatchEvent<T> | undefined {
    const { uid, resourceVersion } = object.metadata;
    const key = keyOf(object);
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { uid, resourceVersion });
      return { type: "ADDED", object };
    }
    if (known.resourceVersion === resourceVersion) return undefined;
    Object.assign(known, { uid, resourceVersion });
    return { type: "MODIFIED", object };
  }

  delete(object: KubernetesObject): WatchEvent<T> {
    this.#known.delete(keyOf(object));
    return { type: "DELETED", object };
  }

  /** What is known but not among `keys`. */
  without(keys: ReadonlySet<string>): KubernetesObject[] {
    return [...this.#known].filter(([key]) => !keys.has(key))
      .map(([key, known]) => objectOf(key, known));
  }
}

interface Known {
  uid: string | undefined;
  resourceVersion: string | undefined;
}

async function* tellList<T extends KubernetesObject>(
  view: View<T>,
  source: WatchSource,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void> {
  const seen = new Set<string>();
  let metadata: ListMeta = {};
  do {
    const { continue: next } = metadata;
    const { body, discard } = await source.listPage({ continue: next, signal });
    try {
      const items = listItems<T>(body);
      let item = await items.next();
      for (; !item.done; item = await items.next()) {
        seen.add(keyOf(item.value));
        const event = view.put(item.value);
        if (event) yield event;
      }
      metadata = item.value;
    } finally {
      discard();
    }
  } while (metadata.continue);
  for (const gone of view.without(seen)) yield view.delete(gone);
  view.version = metadata.resourceVersion ?? "";
  view.heard = true;
  yield { type: "SYNCED" };
}

/** Ends when the server ends the watch. */
async function* tellChanges<T extends KubernetesObject>(
  view: View<T>,
  source: WatchSource,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void> {
  const { body, discard } = await source.watchFrom({
    resourceVersion: view.version,
    signal,
  });
  try {
    for await (const value of jsonLines(body)) {
      const { type, object } = value as Line;
      if (type === "ERROR") throw watchError(object);
      view.heard = true;
      view.version = object.metadata.resourceVersion ?? view.version;
      if (type === "BOOKMARK") continue;
      const event = type === "DELETED"
        ? view.delete(object)
        : view.put(object as unknown as T);
      if (event) yield event;
    }
  } finally {
    discard();
  }
}

function keyOf({ metadata: { namespace = "", name = "" } }: KubernetesObject) {
  return `${namespace}/${name}`;
}

/** As much of an object as is known of it; the reverse of {@link keyOf}. */
function objectOf(key: string, known: Known): KubernetesObject {
  const [namespace = "", name = ""] = key.split("/");
  const metadata = { namespace, name, ...known };
  const set = Object.entries(metadata).filter(([, value]) => value);
  return { metadata: Object.fromEntries(set) };
}

function watchError({ code = 500, reason, message }: Line["object"]): ApiError {
  return new ApiError({ verb: "watch", resource: "" }, {
    status: code,
    ...reason ? { reason } : {},
    detail: message ?? `status ${code}`,
  });
}

/** The version is too old for the server: it must be listed again. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError &&
    (error.status === 410 || error.reason === "Expired");
}

/** Likely to be over soon. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiUnreachableError || error instanceof SyntaxError ||
    error instanceof ApiError && (error.status >= 500 || error.status === 429);
}
