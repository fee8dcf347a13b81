import type { Ip } from "../net/mod.ts";
import { Feed } from "./feed.ts";
import type {
  HeldAddresses,
  NamespaceAddresses,
} from "./namespace_addresses.ts";
import { formatWorld, type World } from "./world.ts";

/** The view of the cluster for a laptop that wants some namespaces alone. They are watched until it is disposed of. */
export class NamespaceView implements Disposable, Pick<Feed<World>, "follow"> {
  readonly #wanted: ReadonlySet<string>;
  readonly #whole: Feed<World>;
  readonly #held: readonly HeldAddresses[];
  readonly #abort = new AbortController();
  readonly #view = new Feed<World>();

  /** @throws {RefusedError} `overloaded`. */
  constructor(
    namespaces: readonly string[],
    { world, addresses }: {
      world: Feed<World>;
      addresses: Pick<NamespaceAddresses, "hold">;
    },
  ) {
    this.#wanted = new Set(namespaces);
    this.#whole = world;
    using held = new DisposableStack();
    this.#held = [...this.#wanted].map((namespace) =>
      held.use(addresses.hold(namespace))
    );
    const all = held.move();
    this.#abort.signal.addEventListener("abort", () => all.dispose());
    const feeds = [world, ...this.#held.map(({ feed }) => feed)];
    for (const feed of feeds) void this.#listen(feed);
  }

  follow(options: { signal: AbortSignal }): AsyncGenerator<World> {
    return this.#view.follow(options);
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  async #listen(feed: Pick<Feed<unknown>, "follow">): Promise<void> {
    for await (const _change of feed.follow(this.#abort)) this.#refresh();
  }

  /** Nothing is told before all is known, and nothing of what happens in other namespaces. */
  #refresh(): void {
    const whole = this.#whole.value;
    const lists = this.#held.map(({ feed }) => feed.value);
    if (whole === undefined || !isWhole(lists)) return;
    const view = {
      ...whole,
      namespaces: whole.namespaces.filter((one) => this.#wanted.has(one)),
      addresses: lists.flat(),
    };
    const before = this.#view.value;
    if (before && formatWorld(view, before) === "{}") return;
    this.#view.set(view);
  }
}

function isWhole(
  lists: readonly (readonly Ip[] | undefined)[],
): lists is readonly (readonly Ip[])[] {
  return !lists.includes(undefined);
}
