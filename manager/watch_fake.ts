import {
  ApiError,
  type KubernetesObject,
  type Resource,
  type WatchEvent,
} from "../k8s/mod.ts";
import type { Watch } from "./cluster_view.ts";

const forbidden = new ApiError({ verb: "list", resource: "x" }, {
  status: 403,
  reason: "Forbidden",
  detail: "no",
});

/** An API server whose collections are told by hand: a place is one, as `pods`, or one in a namespace, as `pods/shop`. */
export class FakeCluster {
  readonly #feeds = new Map<string, ReadableStreamDefaultController>();
  /** Places whose watches are refused. */
  readonly refused = new Set<string>();
  /** Watches that were begun. */
  readonly begun: string[] = [];
  readonly selectors = new Map<string, string>();

  readonly watch: Watch = <T extends KubernetesObject>(
    { plural }: Resource<T>,
    { namespace, fieldSelector, signal }: {
      namespace?: string;
      fieldSelector?: string;
      signal: AbortSignal;
    },
  ) => {
    const place = namespace === undefined ? plural : `${plural}/${namespace}`;
    this.begun.push(place);
    this.selectors.set(place, fieldSelector ?? "");
    return new ReadableStream<WatchEvent<T>>({
      start: (controller) => {
        if (this.refused.has(place)) return controller.error(forbidden);
        this.#feeds.set(place, controller);
        signal.addEventListener("abort", () => {
          if (this.#feeds.delete(place)) controller.close();
        }, { once: true });
      },
    });
  };

  get watched(): string[] {
    return [...this.#feeds.keys()].sort();
  }

  watches(place: string): boolean {
    return this.#feeds.has(place);
  }

  /** Tells all objects of a place. */
  list(place: string, ...objects: object[]): void {
    for (const object of objects) this.tell(place, "ADDED", object);
    this.#feeds.get(place)!.enqueue({ type: "SYNCED" });
  }

  /** Ends a watch with a refusal. */
  refuse(place: string): void {
    this.#feeds.get(place)!.error(forbidden);
    this.#feeds.delete(place);
  }

  tell(place: string, type: "ADDED" | "DELETED", object: object): void {
    this.#feeds.get(place)!.enqueue({ type, object });
  }
}
