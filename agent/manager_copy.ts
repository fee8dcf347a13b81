/**
 * One copy of the manager, at one address.
 *
 * 1. A session is dialled, and dialled again whenever it has ended.
 * 2. Its first stream is `rules`, with the pod's token. Each line is followed, then answered; between the answers what the
 *    laptop did not take is told. When kubelet has renewed the
 *    token another one is opened, and then the former is closed.
 * 3. The copy is there while such a stream is open and the session has a carrier.
 */
import { product } from "../build.ts";
import { logger } from "../log.ts";
import {
  encodeAgentTarget,
  type Fallback,
  type Rules,
} from "../manager/api.ts";
import { type Clock, type Conn, pause, RefusedError } from "../net/mod.ts";
import {
  type CarrierChange,
  dialSession,
  type Identity,
  type Incoming,
  type MemoryBudget,
  type Session,
} from "../tunnel/mod.ts";
import { LineWriter, parseRules, rulesLines } from "./rules_line.ts";

const log = logger("agent");

/** Between attempts: the first pause, and to what they grow. Where the manager says no they begin with the longest. */
const firstPauseMs = 100;
const longestPauseMs = 1_000;
const forbiddenPauseMs = 15_000;
/** How long a manager may take to say whether it tells the rules: it asks the API server. */
const answerMs = 15_000;
/** How often the token is looked at. */
const tokenMs = 30_000;

/** What one session may take; all together are bound by the budget that they share. */
const limits = {
  budgetBytes: 32 * 1024 * 1024,
  keptBytes: 32 * 1024 * 1024,
  datagramBudgetBytes: 4 * 1024 * 1024,
  streams: 256,
  unanswered: 64,
  graceMs: 5 * 60_000,
};

export interface ManagerCopyOptions {
  readonly address: string;
  readonly identity: Identity;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  /** Opens a carrier to {@link address}. */
  readonly dial: (
    address: string,
    options: { signal: AbortSignal },
  ) => Promise<Conn>;
  readonly readToken: () => Promise<string>;
  /** Answers the streams that the manager opens. */
  readonly serve: (incoming: Incoming) => void;
  /** Called with the authorities that the copy tells. */
  readonly onAuthorities?: ((authorities: string) => void) | undefined;
  /** When it returns the agent does as they say. Called again with the last ones when the copy is there again. */
  readonly onRules: (copy: ManagerCopy, rules: Rules) => void;
  /** It is not there any more, or an attempt to reach it failed. */
  readonly onAway: (copy: ManagerCopy) => void;
}

/** A stream `rules`. */
interface Listening {
  readonly token: string;
  readonly stream: Conn;
  /** Fires when it has ended. */
  readonly over: AbortSignal;
}

export class ManagerCopy {
  readonly address: string;
  readonly #options: ManagerCopyOptions;
  readonly #closed = new AbortController();
  readonly #running: Promise<void>;
  #session: Session | undefined;
  #rules: Rules | undefined;
  #hasCarrier = false;
  /** Writes a line to the manager; `undefined` while none may be written. */
  #write: ((line: string) => void) | undefined;
  /** What was complained about last, while the copy is not there. */
  #trouble: string | undefined;

  constructor(options: ManagerCopyOptions) {
    this.address = options.address;
    this.#options = options;
    this.#running = this.#run();
  }

  /** Where streams are opened; `undefined` while the copy is away. */
  get session(): Session | undefined {
    return this.isThere ? this.#session : undefined;
  }

  /** Whether its rules are known and told on. */
  get isThere(): boolean {
    return this.#rules !== undefined && this.#hasCarrier;
  }

  /** Whether a session is held, though it may have no carrier. */
  get hasCarrier(): boolean {
    return this.#hasCarrier;
  }

  /** Pod of the manager, as it said last; `undefined` while nothing is told. */
  get manager(): string | undefined {
    return this.#rules?.manager;
  }

  /** Tells the manager, if it listens. */
  report(fallback: Fallback): void {
    this.#write?.(JSON.stringify(fallback));
  }

  /** Breaks off what there is, and dials no more. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#session?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closed;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      const startedMs = clock.now();
      let isForbidden = false;
      try {
        await this.#hold();
      } catch (error) {
        if (signal.aborted) break;
        isForbidden = isRefusal(error, "forbidden");
        this.#complain("no manager", error);
      }
      this.#leave();
      if (clock.now() - startedMs > longestPauseMs) pauseMs = firstPauseMs;
      const ms = isForbidden ? forbiddenPauseMs : pauseMs;
      await pause(ms * (0.5 + Math.random() / 2), { clock, signal });
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
    this.#leave();
  }

  /** One session, until it is over. */
  async #hold(): Promise<void> {
    const { address, identity, budget, clock, dial, serve } = this.#options;
    const { signal } = this.#closed;
    const session = await dialSession({
      ...{ identity, product, budget, clock, limits, serve, signal },
      dial: (options) => dial(address, options),
      onCarrier: (change) => this.#onCarrier(change),
    });
    this.#session = session;
    try {
      signal.throwIfAborted();
      await this.#follow(session);
    } finally {
      session.close();
      await session.ended;
      this.#session = undefined;
      this.#hasCarrier = false;
    }
  }

  /**
   * Follows the rules until the session ends, opening them anew as often as needed.
   *
   * @throws {RefusedError} when the manager does not tell them in the first place.
   */
  async #follow(session: Session): Promise<void> {
    const { clock } = this.#options;
    const over = new AbortController();
    const { signal } = over;
    const ended = session.ended.then(() => over.abort());
    let former: Listening | undefined;
    for (let pauseMs = firstPauseMs; !signal.aborted;) {
      try {
        const next = await this.#listen(session);
        former?.stream.close();
        former = next;
        pauseMs = firstPauseMs;
        if (await this.#untilRenewed(next, signal)) continue;
        // A manager that leaves ends what it tells, and lets go on what is under way.
        this.#leave();
      } catch (error) {
        if (former === undefined) throw error;
        if (!signal.aborted) this.#complain("no rules", error);
        pauseMs = isRefusal(error, "forbidden") ? forbiddenPauseMs : pauseMs;
      }
      await pause(pauseMs, { clock, signal });
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
    await ended;
  }

  /** @throws {RefusedError} when the manager refuses. */
  async #listen(session: Session): Promise<Listening> {
    const token = await this.#options.readToken();
    const target = encodeAgentTarget({ kind: "rules", token });
    const stream = await this.#open(session, target);
    const over = new AbortController();
    void this.#hear(stream).finally(() => over.abort());
    return { token, stream, over: over.signal };
  }

  async #open(session: Session, target: Uint8Array): Promise<Conn> {
    const late = new AbortController();
    const callOff = this.#options.clock.after(answerMs, () => {
      late.abort(new RefusedError("timeout", "The manager does not answer"));
    });
    try {
      const { signal } = late;
      return await session.open(target, { urgent: true, signal });
    } finally {
      callOff();
    }
  }

  /** Never rejects. */
  async #hear(stream: Conn): Promise<void> {
    const lines = new LineWriter(stream);
    const write = (line: string) => lines.write(line);
    try {
      for await (const line of rulesLines(stream)) {
        this.#write = write;
        const rules = parseRules(line);
        this.#rules = rules;
        this.#trouble = undefined;
        const { authorities } = rules;
        if (authorities) this.#options.onAuthorities?.(authorities);
        this.#tell();
        lines.write(String(rules.version));
      }
      stream.close();
    } catch (error) {
      stream.reset();
      log.debug("rules broke off", { address: this.address, error });
    } finally {
      if (this.#write === write) this.#write = undefined;
    }
  }

  /** Resolves when the token was renewed: true; or when the stream or the session is over: false. */
  async #untilRenewed(
    { token, over }: Listening,
    sessionOver: AbortSignal,
  ): Promise<boolean> {
    const { clock, readToken } = this.#options;
    const signal = AbortSignal.any([over, sessionOver]);
    for (;;) {
      await pause(tokenMs, { clock, signal });
      if (signal.aborted) return false;
      // A file that can not be read may be there next time.
      if (await readToken().catch(() => token) !== token) return true;
    }
  }

  /** The same trouble again is worth less than the first time. */
  #complain(what: string, error: unknown): void {
    const trouble = `${what}: ${error}`;
    const level = trouble === this.#trouble ? "debug" : "warn";
    this.#trouble = trouble;
    log[level](what, { address: this.address, error });
  }

  #tell(): void {
    if (this.isThere) this.#options.onRules(this, this.#rules!);
  }

  #leave(): void {
    this.#options.onAway(this);
    this.#rules = undefined;
  }

  #onCarrier({ lost, live }: CarrierChange): void {
    const { address } = this;
    const had = this.#hasCarrier;
    this.#hasCarrier = live > 0;
    if (lost !== undefined) log.debug("carrier lost", { address, lost, live });
    if (had === this.#hasCarrier) return;
    if (this.#hasCarrier) this.#tell();
    else this.#options.onAway(this);
  }
}

function isRefusal(error: unknown, refusal: RefusedError["refusal"]): boolean {
  return error instanceof RefusedError && error.refusal === refusal;
}
