/** The grid: what the link is like, and what is measured on it. */
import type { WanShape } from "../../tests/support/wan.ts";
import {
  bulk,
  busy,
  connections,
  type Measurement,
  requests,
} from "../measure/figure.ts";
import type { Timing } from "../measure/load.ts";

/** One kind of link. */
export interface Cell {
  readonly name: string;
  readonly rttMs: number;
  readonly lossPercent: number;
  /** Absent for the bare link: no wan is in it. */
  readonly wan?: Partial<WanShape>;
  readonly rounds: number;
}

export interface Grid {
  readonly rttMs: readonly number[];
  readonly lossPercent: readonly number[];
  /** Of the links with loss: what is fair has no super-packets, and those who carry it their limit. */
  readonly rateMbit: number;
  /** Of the bare link; the others have one. */
  readonly rounds: number;
}

/** The bare link, against which `kubectl` is compared as it comes, then the wan from the best to the worst. */
export function cellsOf(grid: Grid): Cell[] {
  const cells: Cell[] = [];
  if (grid.rttMs.includes(0) && grid.lossPercent.includes(0)) {
    const { rounds } = grid;
    cells.push({ name: "bare", rttMs: 0, lossPercent: 0, rounds });
  }
  for (const lossPercent of grid.lossPercent) {
    for (const rttMs of grid.rttMs) {
      const rateMbit = lossPercent > 0 ? grid.rateMbit : 0;
      cells.push({
        name: `${rttMs} ms, ${lossPercent} %`,
        rttMs,
        lossPercent,
        wan: { delayMs: rttMs / 2, lossPercent, rateMbit },
        rounds: 1,
      });
    }
  }
  return cells;
}

/** Ways that take long or lose are asked on several connections, so that a hundredth of the answers is more than none. */
export function measurementsOf({ rttMs, lossPercent }: Cell): Measurement[] {
  const pingers = rttMs > 0 || lossPercent > 0 ? 8 : 1;
  return [
    bulk("down", 1),
    bulk("up", 1),
    bulk("down", 8),
    bulk("up", 8),
    requests(pingers),
    connections(16),
    busy(1, pingers),
    busy(8, pingers),
  ];
}

/** What a fresh connector's compiler has to have seen. */
export const warmUp: readonly Measurement[] = [
  bulk("down", 1),
  bulk("up", 1),
  connections(16),
];

/** The windows of TCP have a dozen round trips to open in; who hears nothing for as long as nobody waits has his answer. */
export function timingOf({ rttMs }: Cell, durationMs: number): Timing {
  return { settleMs: 200 + 12 * rttMs, durationMs, patienceMs: 4_000 };
}
