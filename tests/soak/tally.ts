/** What a soak has seen. */
import type { Footprint } from "../support/footprint.ts";
import type { FaultKind } from "./plan.ts";

/** What the connector may keep more than before, when all is over. */
const most = { bytes: 128 * 1024 ** 2, descriptors: 16 };

/** How many were opened at once, how many worked, and what became of one that did not. */
export interface Connections {
  readonly asked: number;
  readonly echoed: number;
  readonly trouble?: string;
}

export class Tally {
  readonly #faults = new Map<FaultKind, number[]>();
  readonly #failures: string[] = [];
  #late = 0;
  #connections = 0;
  checkedBytes = 0;

  /** All went on `slowestMs` after a fault, which it should within `withinMs`. */
  fault(kind: FaultKind, slowestMs: number, withinMs: number): void {
    const times = this.#faults.get(kind) ?? [];
    times.push(slowestMs);
    this.#faults.set(kind, times);
    if (slowestMs > withinMs) this.#late++;
  }

  connections({ asked, echoed, trouble }: Connections): void {
    this.#connections += echoed;
    if (echoed < asked) {
      this.failure(
        `${asked - echoed} of ${asked} new connections failed: ${trouble}`,
      );
    }
  }

  /** Of the connector, before and after all. */
  footprints(before: Footprint, after: Footprint): void {
    const moreBytes = after.rssBytes - before.rssBytes;
    const moreDescriptors = after.descriptors - before.descriptors;
    if (moreBytes > most.bytes) this.failure(`it grew by ${moreBytes} bytes`);
    if (moreDescriptors > most.descriptors) {
      this.failure(`it keeps ${moreDescriptors} descriptors more`);
    }
  }

  failure(text: string): void {
    this.#failures.push(text);
  }

  get hasFailed(): boolean {
    return this.#failures.length > 0;
  }

  /** For people; the last line says yes or no. */
  lines(): string[] {
    const faults = [...this.#faults].map(([kind, times]) =>
      `${kind}: ${times.length}, all go on after ${
        Math.max(...times)
      } ms at most`
    );
    const count = [...this.#faults.values()].reduce(
      (sum, { length }) => sum + length,
      0,
    );
    const gib = (this.checkedBytes / 1024 ** 3).toFixed(2);
    return [
      ...faults,
      ...this.#failures.map((text) => `FAILED: ${text}`),
      `${count} faults (${this.#late} later than usual), ${gib} GiB compared, ${this.#connections} new connections, ${this.#failures.length} failed`,
    ];
  }
}
