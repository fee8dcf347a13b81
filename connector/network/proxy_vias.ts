/**
 * The workloads whose pods dial what is sent to some addresses, as `--proxy-via` says.
 *
 * 1. Each has an intercept of the mode `proxy-via` as the connection is made: the cluster decides whether this user may.
 * 2. What an app sends there names the intercept, and the manager has a pod dial. While none is there, as one that goes
 *    before the next has come, the app waits.
 * 3. An object cannot change: for addresses that the cluster has got since, another intercept is opened when the first of
 *    them is wanted.
 */
import { logger } from "../../log.ts";
import {
  type Clock,
  type Ip,
  joinSubnets,
  pause,
  RefusedError,
  type Subnet,
  subtractSubnets,
  systemClock,
} from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import type { InterceptRequest } from "../intercepts/api.ts";
import type { HeldIntercept } from "../intercepts/held_intercept.ts";
import type { InterceptOptions, Intercepts } from "../intercepts/intercepts.ts";
import {
  type Reached,
  type SubnetWishes,
  type Via,
  viaOf,
} from "./subnet_wishes.ts";

const log = logger("connector");

/** How long an app may wait for another intercept, and how long none is tried after one that failed. */
const anotherMs = 10_000;
const restMs = 10_000;
/** Of one workload. */
const maxExits = 32;
/** How long an app waits for a pod, and how often it is tried. */
const patienceMs = 5_000;
const pauseMs = 250;

export interface ProxyViasOptions {
  wishes: Pick<SubnetWishes, "virtual">;
  /** What the words for subnets mean by now. */
  reached: () => Reached;
  clock?: Clock;
}

/** An intercept by which pods of a workload dial. */
interface Exit {
  readonly subnets: readonly Subnet[];
  readonly held: Pick<HeldIntercept, "parts">;
}

/** All of one workload. */
interface Exits {
  readonly via: Via;
  readonly all: Exit[];
  opening: Promise<void> | undefined;
  failedMs: number;
}

export class ProxyVias {
  readonly #options: ProxyViasOptions;
  readonly #clock: Clock;
  /** By {@link Via.text}. */
  readonly #exits = new Map<string, Exits>();
  #intercepts: Pick<Intercepts, "open"> | undefined;

  constructor(options: ProxyViasOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    for (const { via } of options.wishes.virtual) {
      if (via === undefined) continue;
      const failedMs = -Infinity;
      const exits: Exits = { via, all: [], opening: undefined, failedMs };
      this.#exits.set(via.text, exits);
    }
  }

  /**
   * Opens an intercept on each workload; they end with `intercepts`.
   *
   * @throws {ConnectError} why a workload's pods will not dial.
   */
  async open(
    intercepts: Pick<Intercepts, "open">,
    options: InterceptOptions,
  ): Promise<void> {
    this.#intercepts = intercepts;
    for (const exits of this.#exits.values()) {
      await this.#openOne(exits, options).catch((error) => {
        throw toldOf(exits.via, error);
      });
    }
  }

  /**
   * Gives `open` the UID of the intercept whose pods dial `ip`, again and again for a while as long as it finds none of
   * them; `undefined`: the manager's pod dials.
   *
   * @throws {RefusedError} when they should dial and cannot.
   */
  async through<T>(
    ip: Ip,
    { signal, open }: {
      signal: AbortSignal;
      open: (intercept: string | undefined) => Promise<T>;
    },
  ): Promise<T> {
    const endMs = this.#clock.now() + patienceMs;
    for (;;) {
      const exit = await this.#exitOf(ip);
      try {
        return await open(exit);
      } catch (error) {
        const isGone = error instanceof RefusedError &&
          error.refusal === "gone";
        const isLate = this.#clock.now() >= endMs || signal.aborted;
        if (exit === undefined || !isGone || isLate) throw error;
      }
      await pause(pauseMs, { clock: this.#clock, signal });
    }
  }

  async #exitOf(ip: Ip): Promise<string | undefined> {
    if (this.#exits.size === 0) return undefined;
    const { wishes, reached } = this.#options;
    const via = viaOf(ip, wishes, reached());
    if (via === undefined) return undefined;
    const exits = this.#exits.get(via.text)!;
    if (exitTo(ip, exits) === undefined) await this.#openAnother(exits);
    const id = exitTo(ip, exits)?.held.parts?.info().id;
    if (id !== undefined) return id;
    const detail = `The way through "${via.text}" has ended`;
    throw new RefusedError("unreachable", detail);
  }

  /** For what has come since the last one. Never rejects. */
  async #openAnother(exits: Exits): Promise<void> {
    if (this.#clock.now() - exits.failedMs < restMs) return;
    const options = { signal: AbortSignal.timeout(anotherMs), tell: () => {} };
    exits.opening ??= this.#openOne(exits, options).catch((error) => {
      exits.failedMs = this.#clock.now();
      log.warn("no further way through a workload", {
        workload: exits.via.text,
        error,
      });
    }).finally(() => exits.opening = undefined);
    await exits.opening;
  }

  async #openOne(exits: Exits, options: InterceptOptions): Promise<void> {
    const { via, all } = exits;
    const subnets = this.#lacking(exits);
    if (subnets.length === 0) return;
    // Who has ended one wants no other, and addresses that change without end have an end here.
    if (all.length >= maxExits || all.some(isOver)) return;
    const held = await this.#intercepts?.open(
      requestOf(via, { subnets, name: this.#nameOf(exits) }),
      options,
    );
    if (held) all.push({ subnets, held });
  }

  /** What the workload is to dial, and has no intercept for. */
  #lacking({ via, all }: Exits): Subnet[] {
    const { wishes: { virtual }, reached } = this.#options;
    const now = reached();
    const wanted = virtual.filter((one) => one.via?.text === via.text)
      .flatMap(({ subnets }) => subnets(now));
    const had = all.flatMap(({ subnets }) => subnets);
    return subtractSubnets(joinSubnets(wanted), had);
  }

  /** As `tp list` shows it; two workloads may share a name. */
  #nameOf({ via, all }: Exits): string {
    const name = via.workload.split("/").at(-1);
    const same = [...this.#exits.values()].filter((one) =>
      one.via.workload.split("/").at(-1) === name
    );
    const number = same.findIndex((one) => one.via === via) +
      all.length * same.length + 1;
    return `proxy-via-${name}` + (number === 1 ? "" : `-${number}`);
  }
}

function exitTo(ip: Ip, { all }: Exits): Exit | undefined {
  return all.find(({ subnets }) => subnets.some((one) => one.contains(ip)));
}

function isOver({ held }: Exit): boolean {
  return held.parts === undefined;
}

function requestOf(
  { namespace, workload }: Via,
  { name, subnets }: { name: string; subnets: readonly Subnet[] },
): InterceptRequest {
  return {
    ...{ name, mode: "proxy-via", workload, subnets: subnets.map(String) },
    ...namespace === undefined ? {} : { namespace },
    ...{ ports: [], toPod: [], address: "127.0.0.1" },
    ...{ localOnly: false, isHeld: false },
  };
}

/** In words about what the user has asked for. */
function toldOf({ text }: Via, error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error;
  const { cause } = error.failure;
  const state = cause.replace(/^Cannot intercept( "[^"]*")?:? /, "");
  return new ConnectError({
    ...error.failure,
    cause: `Cannot dial from the pods of "${text}": ${state}`,
  }, { cause: error });
}
