/** Where the requests of one client connection go, by the rules of the moment. */
import type { Destination, RequestHead, Tapped } from "../http/mod.ts";
import type { AgentPort, Rule } from "../manager/api.ts";
import { type Conn, RefusedError } from "../net/mod.ts";
import type { Counters } from "./counters.ts";
import type { Fallbacks } from "./fallbacks.ts";
import { copyWaitMs, type Laptops, RuleEndedError } from "./laptops.ts";
import { isMeant } from "./request_matches.ts";
import type { PortRules, RuleBook } from "./rule_book.ts";

/** Header field of an answer that is the app's since the laptop did not take the request. */
const fallbackHeader = "x-tp-fallback";

export interface DestinationsOptions {
  readonly port: AgentPort;
  readonly book: RuleBook;
  readonly laptops: Laptops;
  readonly counters: Counters;
  readonly fallbacks: Fallbacks;
  readonly openApp: (options: { signal: AbortSignal }) => Promise<Conn>;
}

export class Destinations {
  readonly app: Destination;
  readonly #options: DestinationsOptions;
  /** By id of the rule: what is open to a destination is used again. */
  readonly #laptops = new Map<string, Destination>();
  readonly #taps = new Map<string, Destination>();
  /** Those of the last request. */
  #rules: PortRules | undefined;

  constructor(options: DestinationsOptions) {
    this.#options = options;
    this.app = { open: (options) => this.#options.openApp(options) };
  }

  /**
   * The first rule that means the request has it; the app, where none does.
   *
   * @param options.refused A rule whose laptop has just not taken the connection by which the request comes: it is not
   * asked again.
   */
  route(
    request: RequestHead,
    { refused }: { refused?: Rule | undefined } = {},
  ): Tapped {
    const { book, port } = this.#options;
    const rules = book.at(port);
    if (rules !== this.#rules) this.#forgetEnded();
    this.#rules = rules;
    const rule = rules.matching.find((one) => isMeant(one, request)) ??
      rules.whole;
    return {
      destination: rule === undefined
        ? this.app
        : rule.id === refused?.id
        ? this.#instead(rule)
        : this.#laptop(rule),
      taps: this.taps(rules, request),
    };
  }

  /** A client may stay for long, and rules come and go. */
  #forgetEnded(): void {
    for (const known of [this.#laptops, this.#taps]) {
      for (const id of known.keys()) {
        if (this.#options.book.find(id) === undefined) known.delete(id);
      }
    }
  }

  /** The app, with the mark that it is not the laptop. */
  #instead({ name }: Rule): Destination {
    const why = new RefusedError("refused", "The laptop has just refused");
    return {
      open: () => Promise.reject(why),
      fallback: { destination: this.app, mark: markOf(name) },
    };
  }

  /** Those that want a copy of a request; of all that a connection carries, without one. */
  taps({ taps }: PortRules, request?: RequestHead): Destination[] {
    const wanted = request === undefined
      ? taps.filter(({ match }) => match === undefined)
      : taps.filter((rule) => isMeant(rule, request));
    return wanted.map((rule) => this.#tap(rule));
  }

  #laptop(rule: Rule): Destination {
    let found = this.#laptops.get(rule.id);
    if (found === undefined) {
      found = this.#makeLaptop(rule);
      this.#laptops.set(rule.id, found);
    }
    return found;
  }

  #makeLaptop(rule: Rule): Destination {
    const { laptops, port, counters, fallbacks } = this.#options;
    const open = async (options: { signal: AbortSignal }) => {
      try {
        const conn = await laptops.open(rule, port, options);
        counters.add("laptop");
        return conn;
      } catch (error) {
        if (!(error instanceof RuleEndedError)) throw error;
        // What is the app's must not be taken for the laptop's when the rule is back.
        this.#laptops.delete(rule.id);
        return await this.app.open(options);
      }
    };
    // Of a container that was replaced there is no app.
    const way = () => laptops.way(rule);
    if (rule.mode === "replace") return { open, way };
    const onFallback = (error: Error) => fallbacks.add(rule, error);
    const mark = markOf(rule.name);
    return { open, way, fallback: { destination: this.app, mark, onFallback } };
  }

  #tap(rule: Rule): Destination {
    let found = this.#taps.get(rule.id);
    if (found === undefined) {
      const { laptops, port } = this.#options;
      found = {
        open: ({ signal }) =>
          laptops.open(rule, port, { signal, waitMs: copyWaitMs }),
        way: () => laptops.way(rule),
      };
      this.#taps.set(rule.id, found);
    }
    return found;
  }
}

function markOf(name: string) {
  return [fallbackHeader, encodeURIComponent(name)] as const;
}
