import type { LogFields, Logger, LogLevel } from "../log.ts";
import type { Clock } from "../net/mod.ts";
import { Purses } from "./purses.ts";

const linesAtOnce = 100;
const linesPerSecond = 1;

/**
 * A log of what others do, who could make it long: each has so many lines at once and one each second, under a key such as
 * its address. How many were left out the next line tells, whoever it is of.
 */
export class BoundedLog {
  readonly #log: Logger;
  readonly #lines: Purses;
  #leftOut = 0;

  constructor(log: Logger, clock: Pick<Clock, "now">) {
    this.#log = log;
    this.#lines = new Purses(clock, {
      ...{ size: linesAtOnce, perSecond: linesPerSecond },
    });
  }

  /** Writes a line of what `key` did. */
  write(
    key: string,
    { level, message, ...fields }: {
      level: LogLevel;
      message: string;
    } & LogFields,
  ): void {
    if (!this.#lines.pay(key, 1)) {
      this.#leftOut++;
      return;
    }
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.#log[level](message, leftOut > 0 ? { ...fields, leftOut } : fields);
  }
}
