/**
 * All copies of the manager, and what they tell.
 *
 * 1. The name of the Service is resolved again and again: quickly while something is missing, slowly otherwise.
 * 2. Each address is a copy; one that is no address of the Service any more is let go once it has no carrier.
 * 3. When none of them is there any more, any copy that is ready is reached by an address that never changes: the name may
 *    be told as it was for seconds, by a DNS that caches. Once the copy is reached at its own, that way is let go.
 * 4. Their rules make up the {@link RuleBook}; the bell rings when it, or who is there, has changed.
 */
import { logger } from "../log.ts";
import type { Fallback, Rules } from "../manager/api.ts";
import { type Clock, pause } from "../net/mod.ts";
import type { Session } from "../tunnel/mod.ts";
import { Bell } from "./bell.ts";
import { ManagerCopy, type ManagerCopyOptions } from "./manager_copy.ts";
import { memoryMs, RuleBook } from "./rule_book.ts";

const log = logger("agent");

const usualLookMs = 30_000;
const missingLookMs = 2_000;
/** So long after a copy was lost the next one is looked for. */
const searchMs = 60_000;
/** At the start: how often it is looked, and how long connections wait for the first rules. */
const firstLookMs = 250;
const firstRulesMs = 5_000;
/** More copies of the manager do not run. */
const maxCopies = 32;

export interface ManagersOptions extends
  Pick<
    ManagerCopyOptions,
    | "identity"
    | "budget"
    | "clock"
    | "dial"
    | "readToken"
    | "serve"
    | "onAuthorities"
  > {
  /** The addresses of the Service. */
  readonly resolve: () => Promise<readonly string[]>;
  /** An address that leads to any copy that is ready. */
  readonly resolveAny: () => Promise<readonly string[]>;
}

export class Managers implements AsyncDisposable {
  readonly book = new RuleBook();
  readonly bell = new Bell();
  readonly #options: ManagersOptions;
  readonly #clock: Clock;
  readonly #copies = new Map<string, ManagerCopy>();
  readonly #byName = new Map<string, ManagerCopy>();
  readonly #closed = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  /** Addresses that have told their rules, or could not be reached, at least once. */
  readonly #tried = new Set<string>();
  /** Addresses that lead to any copy. */
  readonly #any = new Set<string>();
  #addresses: readonly string[] = [];
  #isSettled = false;
  #lostMs = -Infinity;
  #endPause = () => {};

  /** Begins to look for them. */
  constructor(options: ManagersOptions) {
    this.#options = options;
    this.#clock = options.clock;
    const callOff = this.#clock.after(firstRulesMs, () => this.#settle());
    this.#closed.signal.addEventListener("abort", callOff, { once: true });
    this.#running = this.#keep();
  }

  /**
   * `undefined` once the rules of all copies are known, as far as they can be reached, and of one at least; else a promise
   * of that, which takes a few seconds at most.
   */
  get settled(): Promise<void> | undefined {
    return this.#isSettled ? undefined : this.#settled.promise;
  }

  /** Where streams for the laptops of this pod of the manager are opened; `undefined` while it is away. */
  sessionOf(manager: string): Session | undefined {
    return this.#byName.get(manager)?.session;
  }

  /** Tells the manager's pod; nobody, while it is away. */
  report(manager: string, fallback: Fallback): void {
    this.#byName.get(manager)?.report(fallback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#settle();
    await this.#running;
    await Promise.all([...this.#copies.values()].map((copy) => copy.close()));
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#look();
      const woken = new AbortController();
      this.#endPause = () => woken.abort();
      await pause(this.#lookMs(), {
        clock: this.#clock,
        signal: AbortSignal.any([signal, woken.signal]),
      });
    }
  }

  #lookMs(): number {
    if (!this.#isSettled && this.#addresses.length === 0) return firstLookMs;
    const isSearching = this.#clock.now() - this.#lostMs < searchMs;
    return this.#isComplete && !isSearching ? usualLookMs : missingLookMs;
  }

  /** Every copy is there, and no rule names another one. */
  get #isComplete(): boolean {
    return this.#addresses.length > 0 &&
      [...this.#copies.values()].every((copy) => copy.isThere) &&
      this.book.rules.every(({ manager }) => this.sessionOf(manager));
  }

  async #look(): Promise<void> {
    const found = await this.#resolve();
    // The copies that are known may be there none the less.
    if (found === undefined || this.#closed.signal.aborted) return;
    this.#addresses = found;
    for (const [address, copy] of this.#copies) {
      if (this.#addresses.includes(address)) continue;
      if (copy.hasCarrier && !this.#isSpare(copy)) continue;
      this.#copies.delete(address);
      void copy.close();
    }
    for (const address of this.#addresses) {
      if (this.#copies.has(address)) continue;
      const copy = new ManagerCopy({
        ...this.#options,
        address,
        onRules: (copy, rules) => this.#onRules(copy, rules),
        onAway: (copy) => this.#onAway(copy),
      });
      this.#copies.set(address, copy);
    }
  }

  /** `undefined` when nothing is known. */
  async #resolve(): Promise<readonly string[] | undefined> {
    const { resolve, resolveAny } = this.#options;
    const told = (error: unknown) => {
      log.debug("the manager's addresses are not known", { error });
      return undefined;
    };
    const own = (await resolve().catch(told))?.slice(0, maxCopies);
    const hasLost = this.#lostMs !== -Infinity;
    const isAlone = this.#byName.size === 0;
    if (!isAlone || own?.length && !hasLost) return own;
    const any = await resolveAny().catch(told);
    for (const address of any ?? []) this.#any.add(address);
    return own || any ? [...own ?? [], ...any ?? []] : undefined;
  }

  /** Nothing runs through it but rules, which another address of the same copy tells as well. */
  #isSpare(copy: ManagerCopy): boolean {
    if (!this.#any.has(copy.address)) return false;
    const { manager = "", session } = copy;
    const other = this.#byName.get(manager);
    return other !== undefined && other !== copy && session !== undefined &&
      session.stats().streams <= 1;
  }

  #onRules(copy: ManagerCopy, rules: Rules): void {
    const { address } = copy;
    const { manager, version } = rules;
    const known = this.#byName.get(manager);
    if (known === undefined || !this.#any.has(address)) {
      if (known !== copy) log.info("manager is there", { manager, address });
      this.#byName.set(manager, copy);
    }
    this.book.tell(rules);
    log.debug("rules", { manager, version, rules: rules.rules.length });
    this.#note(address);
    this.bell.ring();
    if (!this.#isComplete) this.#endPause();
  }

  #onAway(copy: ManagerCopy): void {
    const { manager, address } = copy;
    this.#note(address);
    // Another copy may bear the name by now: its pod was made anew.
    if (manager === undefined || this.#byName.get(manager) !== copy) return;
    const other = [...this.#copies.values()].find((one) =>
      one !== copy && one.manager === manager && one.isThere
    );
    if (other !== undefined) {
      // It is reached by another address of its pod.
      this.#byName.set(manager, other);
      return this.bell.ring();
    }
    log.info("manager is away", { manager, address });
    this.#byName.delete(manager);
    const nowMs = this.#clock.now();
    this.#lostMs = nowMs;
    this.book.lose(manager, nowMs);
    void this.#forgetLater();
    this.bell.ring();
    this.#endPause();
  }

  async #forgetLater(): Promise<void> {
    const { signal } = this.#closed;
    await pause(memoryMs, { clock: this.#clock, signal });
    if (!this.book.forget(this.#clock.now())) return;
    log.info("rules of a lost manager forgotten");
    this.bell.ring();
  }

  #note(address: string): void {
    this.#tried.add(address);
    // While none has told any, the next attempt may reach one.
    const isTold = this.#byName.size > 0;
    const isTried = this.#addresses.every((one) => this.#tried.has(one));
    if (isTold && isTried) this.#settle();
  }

  #settle(): void {
    this.#isSettled = true;
    this.#settled.resolve();
  }
}
