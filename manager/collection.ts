import type { KubernetesObject, WatchEvent } from "../k8s/mod.ts";

export interface CollectionOptions<T, P> {
  /** What is kept of an object. */
  project: (object: T) => P;
  /** Called with what is kept of all objects: once all are known, and at each change. */
  onChange: (all: readonly P[]) => void;
}

/** Follows a watched collection until its events end. Rejects with what they throw. */
export async function followCollection<T extends KubernetesObject, P>(
  events: AsyncIterable<WatchEvent<T>>,
  { project, onChange }: CollectionOptions<T, P>,
): Promise<void> {
  const kept = new Map<string, P>();
  let isWhole = false;
  for await (const event of events) {
    if (event.type === "SYNCED") isWhole = true;
    else if (event.type === "DELETED") kept.delete(keyOf(event.object));
    else kept.set(keyOf(event.object), project(event.object));
    if (isWhole) onChange([...kept.values()]);
  }
}

function keyOf({ metadata: { namespace = "", name = "" } }: KubernetesObject) {
  return `${namespace}/${name}`;
}
