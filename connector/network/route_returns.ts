import { logger } from "../../log.ts";
import { type Clock, Rate, type Subnet } from "../../net/mod.ts";

const log = logger("connector");

/** After so many times at once it is once a minute: who takes away again and again is not fought. */
const burst = 5;
const everyMs = 60_000;
/** Who has left the routes alone for so long, and takes them away after that, is told of anew. */
const calmMs = burst * everyMs;
/** More are counted in the log, not named. */
const maxNamed = 3;

/** How often routes that another program took away are set again. */
export class RouteReturns {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #isTold = false;
  #lastMs = -Infinity;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
    this.#rate = new Rate({ clock, burst, perSecond: 1_000 / everyMs });
  }

  /** Whether `taken`, at least one, are to be set again at this time, which counts as one return of all of them. */
  areDue(taken: readonly Subnet[]): boolean {
    const nowMs = this.#clock.now();
    if (nowMs - this.#lastMs >= calmMs) this.#isTold = false;
    this.#lastMs = nowMs;
    const routes = textOf(taken);
    if (this.#rate.take()) {
      log.info("another program took routes away: they are set again", {
        routes,
      });
      return true;
    }
    if (!this.#isTold) {
      log.warn(
        "another program takes routes away again and again: they are set again once a minute",
        { routes },
      );
    }
    this.#isTold = true;
    return false;
  }
}

function textOf(subnets: readonly Subnet[]): string {
  const named = subnets.slice(0, maxNamed).join(", ");
  const others = subnets.length - maxNamed;
  return others > 0 ? `${named} and ${others} more` : named;
}
