/**
 * One client's datagrams to one port, and the answers.
 *
 * 1. Where a rule says so the laptop has them. It takes a flow before it is known whether anybody has its port, so what
 *    it is sent is kept, too: until its first answer, for {@link keptMs} at most.
 * 2. Where it refuses before that the app has what was kept, and all that comes for {@link appMs}.
 * 3. The next datagram is the laptop's once more. What the app is asked by stays open until the laptop has taken the
 *    flow: to the app, a client that goes on is the same one.
 * 4. Without a rule the app has them.
 */
import { logger } from "../log.ts";
import type { AgentPort, Rule } from "../manager/api.ts";
import {
  type Clock,
  type Datagrams,
  forwardDatagrams,
  RefusedError,
  udpIdleMs,
} from "../net/mod.ts";
import { UdpDatagrams } from "../tcp/mod.ts";
import type { App, Family } from "./app.ts";
import type { Counters } from "./counters.ts";
import type { Fallbacks } from "./fallbacks.ts";
import { KeptDatagrams } from "./kept_datagrams.ts";
import { copyWaitMs, type Laptops } from "./laptops.ts";
import type { PortRules } from "./rule_book.ts";

const log = logger("agent");

/** A laptop that has not refused in this time has the flow, though it may have said nothing. */
export const keptMs = 2_000;
/** How long the app has a flow that the laptop refused, before that is asked again. */
export const appMs = 10_000;

export interface UdpFlowOptions {
  readonly port: AgentPort;
  readonly family: Family;
  /** As they are when it begins. */
  readonly rules: PortRules;
  readonly app: App;
  readonly laptops: Laptops;
  readonly counters: Counters;
  readonly fallbacks: Fallbacks;
  readonly clock: Clock;
  /** Sends to the client. Copies `bytes`. */
  readonly answer: (bytes: Uint8Array) => void;
}

export class UdpFlow {
  readonly #options: UdpFlowOptions;
  readonly #abort = new AbortController();
  /** Where they go; `undefined` while the laptop is being reached. */
  #to: Datagrams | undefined;
  /** What was sent while it is not known whether the laptop takes it. */
  #kept: KeptDatagrams | undefined;
  #laptop: Datagrams | undefined;
  /** There may be one while the laptop is asked, too. */
  #app: Datagrams | undefined;
  #appReleased: Promise<void> | undefined;
  /** When the laptop is asked again. */
  #askMs = Infinity;
  /** The app has the flow; the end of that. */
  #appTurn: PromiseWithResolvers<void> | undefined;
  readonly #taps = new Set<Datagrams>();
  #lastMs: number;
  #callOff = () => {};
  /** Resolves when it has ended, and its socket is free. Never rejects. */
  readonly ended: Promise<void>;

  constructor(options: UdpFlowOptions) {
    this.#options = options;
    this.#lastMs = options.clock.now();
    this.#watchIdle();
    for (const rule of options.rules.taps) void this.#tap(rule);
    this.ended = this.#serve().catch((error) => {
      if (!this.#abort.signal.aborted) log.debug("a flow broke off", { error });
    }).finally(async () => {
      this.close();
      await this.#appReleased;
    });
  }

  /** When something was last sent or received. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** Takes nothing any more. */
  get isClosed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Whether it goes where a flow that begins under these rules would. */
  isUnder({ whole, taps }: PortRules): boolean {
    const { rules } = this.#options;
    return whole?.id === rules.whole?.id &&
      taps.length === rules.taps.length &&
      taps.every(({ id }, i) => id === rules.taps[i]!.id);
  }

  /** Takes a datagram of the client. Copies it. */
  send(bytes: Uint8Array): void {
    const { counters, clock } = this.#options;
    this.#lastMs = clock.now();
    for (const tap of this.#taps) {
      if (!tap.send(bytes)) counters.add("datagramsDropped");
    }
    if (this.#lastMs >= this.#askMs) this.#askAgain();
    const isKept = this.#kept?.add(bytes) ?? false;
    const isSent = this.#to?.send(bytes) ?? false;
    if (!isSent && !isKept) counters.add("datagramsDropped");
  }

  close(): void {
    this.#abort.abort();
    this.#callOff();
    this.#laptop?.close();
    this.#app?.close();
    this.#appTurn?.resolve();
    for (const tap of this.#taps) tap.close();
    this.#kept = undefined;
  }

  async #serve(): Promise<void> {
    const { rules: { whole }, fallbacks, clock } = this.#options;
    if (whole === undefined) return await this.#leaveToApp(Infinity);
    while (!this.isClosed) {
      const refusal = await this.#askLaptop(whole);
      if (refusal === undefined || this.isClosed) return;
      // There is no app.
      if (whole.mode === "replace") throw refusal;
      fallbacks.add(whole, refusal);
      await this.#leaveToApp(clock.now() + appMs);
    }
  }

  /**
   * The laptop has the flow until that ends, or it refuses.
   *
   * @returns why it did not take it; `undefined` when it did.
   */
  async #askLaptop(rule: Rule): Promise<unknown> {
    const { laptops, port, clock } = this.#options;
    const { signal } = this.#abort;
    const kept = this.#kept ??= new KeptDatagrams();
    // A client that the app serves well does not wait for a laptop that is away.
    const options = this.#app ? { signal, waitMs: keptMs } : { signal };
    try {
      this.#laptop = await laptops.openDatagrams(rule, port, options);
    } catch (error) {
      return error;
    }
    const laptop = this.#to = this.#laptop;
    if (signal.aborted) return laptop.close();
    for (const bytes of kept) laptop.send(bytes);
    const callOff = clock.after(keptMs, () => this.#giveToLaptop());
    try {
      await forwardDatagrams(laptop, (bytes) => {
        this.#giveToLaptop();
        this.#answer(bytes);
      });
    } catch (error) {
      const isRefused = error instanceof RefusedError && this.#kept === kept;
      if (!isRefused) throw error;
      return error;
    } finally {
      callOff();
    }
  }

  /** It has taken the flow. */
  #giveToLaptop(): void {
    if (this.#kept === undefined) return;
    this.#kept = undefined;
    this.#options.counters.add("laptop");
    const app = this.#app;
    this.#app = undefined;
    app?.close();
  }

  /** The app has the flow until that ends, or a datagram comes at `askMs` or later. */
  async #leaveToApp(askMs: number): Promise<void> {
    const app = this.#to = this.#app ??= this.#openApp();
    for (const bytes of this.#kept ?? []) app.send(bytes);
    this.#kept = undefined;
    this.#askMs = askMs;
    this.#appTurn = Promise.withResolvers();
    await this.#appTurn.promise;
  }

  #askAgain(): void {
    this.#askMs = Infinity;
    this.#to = undefined;
    this.#kept = new KeptDatagrams();
    this.#appTurn?.resolve();
  }

  #openApp(): Datagrams {
    const { app, family, port: { port }, clock, counters } = this.#options;
    const ip = app.addressFor(family);
    counters.add("app");
    const idleMs = udpIdleMs.acceptor;
    const opened = new UdpDatagrams({ ip, port }, { clock, idleMs });
    this.#appReleased = opened.released;
    forwardDatagrams(opened, (bytes) => this.#answer(bytes)).catch((error) => {
      log.debug("the app ended a flow", { error });
    }).finally(() => {
      if (this.#app === opened) this.close();
    });
    return opened;
  }

  #answer(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.#lastMs = this.#options.clock.now();
    this.#options.answer(bytes);
  }

  /** A copy for a laptop, until that ends it; its answers are thrown away. The flow itself knows nothing of it. */
  async #tap(rule: Rule): Promise<void> {
    const { laptops, port } = this.#options;
    const { signal } = this.#abort;
    try {
      const options = { signal, waitMs: copyWaitMs };
      const tap = await laptops.openDatagrams(rule, port, options);
      if (signal.aborted) return tap.close();
      this.#taps.add(tap);
      try {
        await forwardDatagrams(tap, () => {});
      } finally {
        this.#taps.delete(tap);
      }
    } catch (error) {
      const { name, owner } = rule;
      log.debug("no copy of a flow", { name, owner, error });
    }
  }

  #watchIdle(): void {
    const { clock } = this.#options;
    const leftMs = this.#lastMs + udpIdleMs.opener - clock.now();
    if (leftMs <= 0) return this.close();
    this.#callOff = clock.after(leftMs, () => this.#watchIdle());
  }
}
