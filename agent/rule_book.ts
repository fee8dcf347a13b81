/**
 * The rules that the agent follows: what all copies of the manager tell, as one list.
 *
 * 1. A copy's list stands until its next one. A copy that was lost is believed for {@link memoryMs}, but for what another
 *    copy has told about since: where a laptop turns from one copy to another, the other knows better.
 * 2. A rule that several tell is taken from a copy that is there, from the one that holds its laptop, from who spoke last.
 * 3. The order is that of the lists, those of the copies in the order of their names.
 */
import {
  isAboutPorts,
  type PodPort,
  type Rule,
  type Rules,
} from "../manager/api.ts";

/** How long what a lost manager told is followed. */
export const memoryMs = 60_000;

interface List {
  /** Pod of the manager. */
  readonly manager: string;
  rules: readonly Rule[];
  /** Rises with each list that is told. */
  readonly told: number;
  /** When the copy was lost; `undefined` while it is there. */
  lostMs?: number | undefined;
}

/** What is to be done with the connections of one port. */
export interface PortRules {
  /** With `match`, in the order in which they are asked. */
  readonly matching: readonly Rule[];
  /** What gets all that no matching rule takes. */
  readonly whole: Rule | undefined;
  /** Those that want a copy. */
  readonly taps: readonly Rule[];
  /** Of all of these; empty when there are none. */
  readonly ids: string;
  /** Whether connections must be read as requests. */
  readonly isAboutRequests: boolean;
}

const noRules: PortRules = {
  matching: [],
  whole: undefined,
  taps: [],
  ids: "",
  isAboutRequests: false,
};

export class RuleBook {
  readonly #lists = new Map<string, List>();
  #told = 0;
  #rules: readonly Rule[] = [];
  #byId = new Map<string, Rule>();
  readonly #byPort = new Map<string, PortRules>();

  /** All of them, each once. */
  get rules(): readonly Rule[] {
    return this.#rules;
  }

  find(id: string): Rule | undefined {
    return this.#byId.get(id);
  }

  /** Takes a copy's list in the place of its former one. */
  tell({ manager, rules }: Rules): void {
    const former = this.#lists.get(manager)?.rules ?? [];
    const told = new Set([...former, ...rules].map(({ id }) => id));
    for (const list of this.#lists.values()) {
      if (list.lostMs === undefined || list.manager === manager) continue;
      list.rules = list.rules.filter(({ id }) => !told.has(id));
    }
    this.#lists.set(manager, { manager, rules, told: ++this.#told });
    this.#refresh();
  }

  /** Nothing more is heard of this copy. */
  lose(manager: string, nowMs: number): void {
    const list = this.#lists.get(manager);
    if (list !== undefined) list.lostMs ??= nowMs;
    this.#refresh();
  }

  /**
   * Forgets what copies told that were lost too long ago.
   *
   * @returns whether rules were forgotten.
   */
  forget(nowMs: number): boolean {
    const before = this.#rules.length;
    for (const { manager, lostMs = nowMs } of [...this.#lists.values()]) {
      if (nowMs - lostMs >= memoryMs) this.#lists.delete(manager);
    }
    this.#refresh();
    return this.#rules.length < before;
  }

  at({ port, protocol }: PodPort): PortRules {
    const key = `${port}/${protocol}`;
    let found = this.#byPort.get(key);
    if (found === undefined) {
      found = this.#collect({ port, protocol });
      this.#byPort.set(key, found);
    }
    return found;
  }

  #collect({ port, protocol }: PodPort): PortRules {
    const rules = this.#rules.filter(({ ports, mode }) =>
      isAboutPorts(mode) &&
      ports.some((one) => one.port === port && one.protocol === protocol)
    );
    if (rules.length === 0) return noRules;
    const takers = rules.filter(({ mode }) => mode !== "wiretap");
    // Datagrams are no requests.
    const isAsked = ({ match }: Rule) =>
      match !== undefined && protocol === "TCP";
    const matching = takers.filter(isAsked);
    const taps = rules.filter((rule) =>
      rule.mode === "wiretap" && (isAsked(rule) || rule.match === undefined)
    );
    return {
      matching,
      whole: takers.find(({ match }) => match === undefined),
      taps,
      ids: rules.map(({ id }) => id).join(),
      isAboutRequests: matching.length > 0 || taps.some(isAsked),
    };
  }

  #refresh(): void {
    const byId = new Map<string, Rule>();
    const lists = [...this.#lists.values()].toSorted((a, b) =>
      a.manager < b.manager ? -1 : 1
    );
    const tellers = new Map<string, Teller>();
    for (const list of lists) {
      for (const rule of list.rules) {
        const teller = { list, isOwn: rule.manager === list.manager };
        const other = tellers.get(rule.id);
        if (other !== undefined && !isBetter(teller, other)) continue;
        tellers.set(rule.id, teller);
        byId.set(rule.id, rule); // keeps the place of the first
      }
    }
    this.#byId = byId;
    this.#rules = [...byId.values()];
    this.#byPort.clear();
  }
}

interface Teller {
  readonly list: List;
  /** Whether it says that it holds the laptop itself. */
  readonly isOwn: boolean;
}

function isBetter(one: Teller, other: Teller): boolean {
  const isThere = ({ list }: Teller) => list.lostMs === undefined;
  if (isThere(one) !== isThere(other)) return isThere(one);
  if (one.isOwn !== other.isOwn) return one.isOwn;
  return one.list.told > other.list.told;
}
