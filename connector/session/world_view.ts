import type { World } from "../../manager/api.ts";

/** What the manager sees of the cluster, as last told. */
export class WorldView {
  #world: World | undefined;
  #listener: (world: World) => void = () => {};
  /** Who waits for a later view. */
  readonly #waiting = new Set<() => void>();

  /** @throws {Error} before the manager has told anything. */
  get current(): World {
    if (this.#world === undefined) {
      throw new Error("The cluster is not known yet");
    }
    return this.#world;
  }

  set(world: World): void {
    this.#world = world;
    this.#listener(world);
    for (const look of this.#waiting) look();
  }

  /** Resolves when a later view makes `isSo` true, or after `ms`. */
  async until(isSo: () => boolean, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (isSo()) resolve();
    };
    this.#waiting.add(look);
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(look);
  }

  /** Calls `listener` with each later view, in place of the listener before. */
  onChange(listener: (world: World) => void): void {
    this.#listener = listener;
  }
}
