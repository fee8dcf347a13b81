import type { Carrier } from "./carrier.ts";

/** For what is opened or moves: a carrier that is not suspect, of a shortcut, with the least bulk, as far as there is. */
export function pickCarrier(carriers: Iterable<Carrier>): Carrier | undefined {
  let best: Carrier | undefined;
  let leastCost = Infinity;
  for (const carrier of carriers) {
    const cost = (carrier.isSuspect ? 2e6 : 0) +
      (carrier.isShortcut ? 0 : 1e6) + carrier.bulk;
    if (cost >= leastCost) continue;
    best = carrier;
    leastCost = cost;
  }
  return best;
}
