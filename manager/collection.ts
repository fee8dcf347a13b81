import type { KubernetesObject, WatchEvent } from "../k8s/mod.ts";
import { Tally } from "./tally.ts";

export interface CollectionOptions<T, P> {
  /** What is learned of an object. Of what several objects tell alike, one is kept. */
  learn: (object: T) => readonly P[];
  /** Called with all that was learned: once all objects are known, and whenever it differs. */
  onChange: (all: readonly P[]) => void;
}

/**
 * Follows a watched collection until its events end. Rejects with what they throw. A change of an object in what is not
 * learned of it, as a node's status all the time, costs no more than reading it, however many others there are.
 */
export async function followCollection<T extends KubernetesObject, P>(
  events: AsyncIterable<WatchEvent<T>>,
  { learn, onChange }: CollectionOptions<T, P>,
): Promise<void> {
  const tally = new Tally<P>();
  /** What each object tells, as the tally names it. */
  const told = new Map<string, readonly string[]>();
  let isWhole = false;
  for await (const event of events) {
    if (event.type === "SYNCED") isWhole = true;
    else {
      const key = keyOf(event.object);
      const before = told.get(key) ?? [];
      if (event.type === "DELETED") told.delete(key);
      else told.set(key, learn(event.object).map((one) => tally.add(one)));
      for (const text of before) tally.remove(text);
    }
    if (isWhole && tally.takeChange()) onChange(tally.things);
  }
}

function keyOf({ metadata: { namespace = "", name = "" } }: KubernetesObject) {
  return `${namespace}/${name}`;
}
