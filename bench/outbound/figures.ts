/** What `outbound` measures, and what is asked of `tp` against `kubectl port-forward`. */
import {
  bulk,
  busy,
  connections,
  type Measurement,
  requests,
} from "../measure/figure.ts";

/** In the order in which they are made. */
export const measurements: readonly Measurement[] = [
  bulk("down", 1, { atLeast: 0.8 }),
  bulk("up", 1, { atLeast: 0.7 }),
  bulk("down", 8, { atLeast: 0.9 }),
  bulk("up", 8, { atLeast: 0.9 }),
  requests(1, { atMost: 1.25 }),
  busy(1, 1),
  connections(1),
  connections(16, { atLeast: 3 }),
];
