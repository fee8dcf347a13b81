/** Carriers in memory that tests break, hold up and cut, and a session over them. */
import { type Conn, connPair } from "../net/mod.ts";
import {
  Acceptor,
  type AcceptorOptions,
  dialSession,
  type DialSessionOptions,
  type Incoming,
  type Limits,
  type Session,
  type SessionOptions,
} from "./mod.ts";
import { identity } from "./session_fake.ts";

export interface Fate {
  kind: "good" | "reset" | "black hole" | "held up";
  afterBytes: number;
}

const good: Fate = { kind: "good", afterBytes: 0 };

/** One carrier between two ends: what is written at one goes through {@link carry} to the other. */
export class FakeCarrier {
  readonly near: Conn;
  readonly far: Conn;
  readonly #ends: Conn[];
  /** Resolves when nothing goes through any more. */
  readonly over: Promise<unknown>;
  /** Bytes that went through. */
  carried = 0;
  /** What comes is lost from now on, and nobody hears of it. */
  isBlackHole = false;
  /** Nothing goes through until it is resolved. */
  gate: Promise<void> | undefined;
  /** What befalls it after so many bytes. */
  fate: Fate;
  readonly #isSlow: boolean;

  /** @param options.isSlow Each piece takes a turn of the event loop. */
  constructor(
    { bufferBytes = 64 * 1024, fate = good, isSlow = false }: {
      bufferBytes?: number;
      fate?: Fate;
      isSlow?: boolean;
    } = {},
  ) {
    this.fate = fate;
    this.#isSlow = isSlow;
    const [near, nearEnd] = connPair({ bufferBytes });
    const [farEnd, far] = connPair({ bufferBytes });
    this.near = near;
    this.far = far;
    this.#ends = [nearEnd, farEnd];
    this.over = Promise.all([
      this.#carry(nearEnd, farEnd),
      this.#carry(farEnd, nearEnd),
    ]);
  }

  /** Both ends see it break. */
  reset(): void {
    for (const end of this.#ends) end.reset();
  }

  async #holdUp(): Promise<void> {
    this.fate = good;
    const passed = new Promise<void>((resolve) => setTimeout(resolve, 40));
    this.gate = passed;
    await passed;
  }

  async #carry(from: Conn, to: Conn): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        await this.gate;
        if (this.#isSlow) await new Promise((resolve) => setTimeout(resolve));
        this.carried += count;
        if (this.carried > this.fate.afterBytes) {
          if (this.fate.kind === "reset") return this.reset();
          if (this.fate.kind === "black hole") this.isBlackHole = true;
          if (this.fate.kind === "held up") await this.#holdUp();
        }
        if (this.isBlackHole) continue;
        for (let at = 0; at < count;) {
          at += await to.write(buffer.subarray(at, count));
        }
      }
      await to.closeWrite();
    } catch {
      this.reset();
    }
  }
}

export interface FleetOptions {
  serve?: (incoming: Incoming) => void;
  serveDialer?: (incoming: Incoming) => void;
  limits?: Partial<Limits>;
  clock?: SessionOptions["clock"];
  /** Makes the next carrier, the first has index 0. Throwing is a dial that fails. */
  carrier?: (index: number) => FakeCarrier;
  dialOptions?: Partial<DialSessionOptions>;
  acceptorOptions?: Partial<AcceptorOptions>;
}

/** A session that dials as many carriers as it needs. */
export interface Fleet extends AsyncDisposable {
  dialer: Session;
  acceptor: Session;
  hub: Acceptor;
  /** All that were dialled. */
  carriers: FakeCarrier[];
  /** What became of each at the acceptor. */
  taken: Promise<unknown>[];
}

export async function openFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { clock, limits, serve, serveDialer } = options;
  const common = {
    product: "tp/test",
    ...(clock && { clock }),
    // Of a fake way's length nothing is known but that bulk may have as many carriers as there are.
    limits: { longWayMs: 0, ...limits },
  };
  const carriers: FakeCarrier[] = [];
  const taken: Promise<unknown>[] = [];
  const accepted = Promise.withResolvers<Session>();
  const hub = new Acceptor({
    ...common,
    onSession(session) {
      accepted.resolve(session);
      return serve ?? ((one) => one.refuse("unknown-target", "a test"));
    },
    ...options.acceptorOptions,
  });
  let attempts = 0;
  const dialer = await dialSession({
    ...common,
    identity,
    random: () => 0.5,
    dial() {
      try {
        const one = options.carrier?.(attempts++) ?? new FakeCarrier();
        carriers.push(one);
        taken.push(hub.take(one.far).catch((error) => error));
        return Promise.resolve(one.near);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    ...(serveDialer && { serve: serveDialer }),
    ...options.dialOptions,
  });
  const acceptor = await accepted.promise;
  return {
    dialer,
    acceptor,
    hub,
    carriers,
    taken,
    async [Symbol.asyncDispose]() {
      dialer.close();
      await dialer.ended;
      await hub.close();
      for (const one of carriers) one.reset();
      await Promise.all([...taken, ...carriers.map((one) => one.over)]);
    },
  };
}
