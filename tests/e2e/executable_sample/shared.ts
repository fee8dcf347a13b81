/** State and a class that modules of the start and modules loaded on demand see as one. */
export const shared = { count: 1 };

export class SharedError extends Error {}

/** A binding that changes: importers must see the change. */
export let turn = 0;

export function nextTurn(): void {
  turn++;
}
