import { RefusedError, type Slots } from "../net/mod.ts";

/** Takes a place for who asks the manager. @throws {RefusedError} "overloaded" when there is none. */
export function placeIn(slots: Slots): Disposable {
  const place = slots.take();
  if (place === undefined) {
    throw new RefusedError("overloaded", "The manager has no room for more");
  }
  return place;
}
