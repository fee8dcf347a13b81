/** One client's datagrams to one port, and the answers. */
import { logger } from "../log.ts";
import type { AgentPort, Rule } from "../manager/api.ts";
import {
  type Clock,
  type Datagrams,
  forwardDatagrams,
  udpIdleMs,
} from "../net/mod.ts";
import { UdpDatagrams } from "../tcp/mod.ts";
import type { App, Family } from "./app.ts";
import type { Counters } from "./counters.ts";
import type { Fallbacks } from "./fallbacks.ts";
import { copyWaitMs, type Laptops } from "./laptops.ts";
import type { PortRules } from "./rule_book.ts";

const log = logger("agent");

/** Datagrams that wait until it is known where they go. */
const maxWaiting = 32;

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
  /** What came before it was known where to. */
  #waiting: Uint8Array[] = [];
  #datagrams: Datagrams | undefined;
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
      await this.#datagrams?.released;
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
    if (this.#datagrams !== undefined) {
      if (!this.#datagrams.send(bytes)) counters.add("datagramsDropped");
    } else if (this.#waiting.length < maxWaiting) {
      this.#waiting.push(bytes.slice());
    } else counters.add("datagramsDropped");
  }

  close(): void {
    this.#abort.abort();
    this.#callOff();
    this.#datagrams?.close();
    for (const tap of this.#taps) tap.close();
    this.#waiting = [];
  }

  async #serve(): Promise<void> {
    const datagrams = await this.#open();
    this.#datagrams = datagrams;
    if (this.#abort.signal.aborted) return datagrams.close();
    for (const bytes of this.#waiting) datagrams.send(bytes);
    this.#waiting = [];
    await forwardDatagrams(datagrams, (bytes) => {
      if (this.#abort.signal.aborted) return;
      this.#lastMs = this.#options.clock.now();
      this.#options.answer(bytes);
    });
  }

  async #open(): Promise<Datagrams> {
    const { rules: { whole }, laptops, port, counters, fallbacks } =
      this.#options;
    if (whole === undefined) return this.#openApp();
    try {
      const { signal } = this.#abort;
      const datagrams = await laptops.openDatagrams(whole, port, { signal });
      counters.add("laptop");
      return datagrams;
    } catch (error) {
      if (whole.mode === "replace" || this.#abort.signal.aborted) throw error;
      fallbacks.add(whole, error);
      return this.#openApp();
    }
  }

  #openApp(): Datagrams {
    const { app, family, port: { port }, clock, counters } = this.#options;
    const ip = app.addressFor(family);
    counters.add("app");
    const idleMs = udpIdleMs.acceptor;
    return new UdpDatagrams({ ip, port }, { clock, idleMs });
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
