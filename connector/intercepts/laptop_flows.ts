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
} from "../../net/mod.ts";

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

  /** Joins them until both directions have ended. Never rejects. */
  async join(app: Conn, stream: Conn): Promise<void> {
    const joined: Joined = { app, stream, lastMs: performance.now() };
    const note = () => void (joined.lastMs = performance.now());
    this.#conns.add(joined);
    await pipe(app, stream, { onForward: note, onBackward: note });
    this.#conns.delete(joined);
  }

  async joinDatagrams(app: Datagrams, stream: Datagrams): Promise<void> {
    this.#datagrams.add(app);
    await pipeDatagrams(app, stream);
    this.#datagrams.delete(app);
  }

  /** Resolves when there are none any more. */
  async end(): Promise<void> {
    for (const flow of this.#datagrams) flow.close();
    const begin = performance.now();
    while (this.#conns.size > 0) {
      for (const joined of this.#conns) endOne(joined, begin);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }
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
