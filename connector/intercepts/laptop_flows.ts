/**
 * The connections of one intercept to the laptop's server, so that they can be ended with it.
 *
 * A connection that says nothing is between two requests, or waits: the server is told that its client has gone, and what
 * it does then goes back to the client. One that speaks may finish for a while. What stays after that is broken off.
 */
import {
  type Conn,
  type Datagrams,
  pipe,
  pipeDatagrams,
  RefusedError,
} from "../../net/mod.ts";
import type { Incoming } from "../../tunnel/mod.ts";

/** How long a connection says nothing before it is held to be between two requests. */
const quietMs = 200;
/** How long one that speaks may go on, and how long a server may take to end one. */
const [finishMs, endMs] = [2_000, 1_000];
const lookMs = 50;

interface Joined {
  readonly app: Conn;
  readonly stream: Conn;
  /** When something went either way. */
  lastMs: number;
  /** When the server was told. */
  toldMs?: number;
}

export class LaptopFlows {
  readonly #conns = new Set<Joined>();
  readonly #datagrams = new Set<Datagrams>();
  /** What calls off each dial that is under way. */
  readonly #dials = new Set<() => void>();
  #hasEnded = false;

  /**
   * Joins what `dial` opens with the stream, until both directions have ended.
   *
   * @throws {RefusedError} why they are not joined: what `dial` says, or that these have ended.
   */
  async join(
    incoming: Incoming,
    dial: (signal: AbortSignal) => Promise<Conn>,
  ): Promise<void> {
    const app = await this.#dialled(incoming, dial);
    if (this.#hasEnded) {
      app.reset();
      throw ended();
    }
    const joined: Joined = {
      ...{ app, stream: incoming.accept(), lastMs: performance.now() },
    };
    const note = () => void (joined.lastMs = performance.now());
    this.#conns.add(joined);
    await pipe(app, joined.stream, { onForward: note, onBackward: note });
    this.#conns.delete(joined);
  }

  /** As {@link LaptopFlows.join}. */
  async joinDatagrams(
    incoming: Incoming,
    dial: (signal: AbortSignal) => Promise<Datagrams>,
  ): Promise<void> {
    const app = await this.#dialled(incoming, dial);
    if (this.#hasEnded) {
      app.close();
      throw ended();
    }
    this.#datagrams.add(app);
    await pipeDatagrams(app, incoming.acceptDatagrams());
    this.#datagrams.delete(app);
  }

  /** Takes no more of them. Resolves when there are none any more. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    for (const callOff of this.#dials) callOff();
    const flows = [...this.#datagrams];
    for (const flow of flows) flow.close();
    const begin = performance.now();
    while (this.#conns.size > 0) {
      for (const joined of this.#conns) endOne(joined, begin);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    await Promise.all(flows.map(({ released }) => released));
  }

  async #dialled<Flow extends Conn | Datagrams>(
    { signal }: Incoming,
    dial: (signal: AbortSignal) => Promise<Flow>,
  ): Promise<Flow> {
    const off = new AbortController();
    const callOff = () => off.abort();
    this.#dials.add(callOff);
    signal.addEventListener("abort", callOff, { once: true });
    if (signal.aborted || this.#hasEnded) callOff();
    try {
      return await dial(off.signal);
    } catch (error) {
      throw this.#hasEnded ? ended() : error;
    } finally {
      this.#dials.delete(callOff);
      signal.removeEventListener("abort", callOff);
    }
  }
}

function ended(): RefusedError {
  return new RefusedError("unknown-target", "The intercept has ended");
}

function endOne(joined: Joined, begin: number): void {
  const now = performance.now();
  if (joined.toldMs !== undefined) {
    if (now - joined.toldMs < endMs) return;
    joined.app.reset();
    joined.stream.reset();
  } else if (now - joined.lastMs >= quietMs || now - begin >= finishMs) {
    joined.toldMs = now;
    joined.app.closeWrite().catch(() => {});
  }
}
