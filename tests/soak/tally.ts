/** What a soak has seen. */
import type { Footprint } from "../support/footprint.ts";
import type { FaultKind } from "./plan.ts";

/**
 * What the connector may keep more: of memory in the second half of the time, at its least, than in the first half at its
 * most; of descriptors when all is over than before.
 */
const most = { bytes: 32 * 1024 ** 2, descriptors: 16 };

/** How many were opened at once, how many worked, and what became of one that did not. */
export interface Connections {
  readonly asked: number;
  readonly echoed: number;
  readonly trouble?: string;
}

export class Tally {
  readonly #faults = new Map<FaultKind, number[]>();
  readonly #failures: string[] = [];
  readonly #footprints: Footprint[] = [];
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

  /** Of the connector, from time to time while all is at work, in order. */
  footprint(one: Footprint): void {
    this.#footprints.push(one);
  }

  /** Of the connector, before and after all. */
  descriptors(before: Footprint, after: Footprint): void {
    const more = after.descriptors - before.descriptors;
    if (more > most.descriptors) this.failure(`it keeps ${more} descriptors`);
  }

  /** Judges {@link footprint}. */
  judgeMemory(): void {
    const [first, second] = this.#halves();
    if (second.length === 0) return;
    const more = Math.min(...second) - Math.max(...first);
    if (more > most.bytes) this.failure(`its memory grew by ${more} bytes`);
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
    const halves = this.#halves().map((bytes) =>
      [Math.min(...bytes), Math.max(...bytes)].map((one) =>
        (one / 1e6).toFixed(0)
      ).join(" to ")
    );
    return [
      ...faults,
      `memory of the connector: ${halves.join(" MB, then ")} MB`,
      ...this.#failures.map((text) => `FAILED: ${text}`),
      `${count} faults (${this.#late} later than usual), ${gib} GiB compared, ${this.#connections} new connections, ${this.#failures.length} failed`,
    ];
  }

  /** Its memory in the first and in the second half of the time. */
  #halves(): [number[], number[]] {
    const bytes = this.#footprints.map(({ rssBytes }) => rssBytes);
    const middle = Math.ceil(bytes.length / 2);
    return [bytes.slice(0, middle), bytes.slice(middle)];
  }
}
