import type { World } from "../manager/api.ts";

/** What the manager sees of the cluster, as last told. */
export class WorldView {
  #world: World | undefined;
  #listener: (world: World) => void = () => {};

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
  }

  /** Calls `listener` with each later view, in place of the listener before. */
  onChange(listener: (world: World) => void): void {
    this.#listener = listener;
  }
}
