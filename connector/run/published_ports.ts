/**
 * Ports of a command's own network, on the laptop's loopback address.
 *
 * 1. They are taken before the command runs: who publishes a port that another has is told so.
 * 2. What connects to one is joined with a stream to who listens on it inside, and reset where nobody does.
 */
import { logger } from "../../log.ts";
import { type Conn, pipe, systemClock } from "../../net/mod.ts";
import { acceptLoop, TcpConn } from "../../tcp/mod.ts";
import { ConnectError } from "../failure.ts";
import type { PublishedPort } from "./published_port.ts";

const log = logger("connector");
const hostname = "127.0.0.1";

/** Opens a connection to a port of the command's loopback address. */
export type OpenInside = (port: number) => Promise<Conn>;

export class PublishedPorts implements Disposable {
  readonly ports: readonly PublishedPort[];
  /** In the order of the ports. */
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #conns = new Set<TcpConn>();

  /** @throws {ConnectError} `publish-port-in-use`, `publish-port-denied`. */
  constructor(ports: readonly PublishedPort[]) {
    this.ports = ports;
    using building = new DisposableStack();
    building.use(this);
    for (const port of ports) this.#listeners.push(listen(port));
    building.move();
  }

  /** Joins what connects, and what has connected before. To be called once. */
  serve(open: OpenInside): void {
    for (const [n, listener] of this.#listeners.entries()) {
      const { inside } = this.ports[n]!;
      void acceptLoop(listener, {
        take: (conn) => void this.#take(new TcpConn(conn), () => open(inside)),
        onTrouble: (error) => log.warn("not accepted", { error }),
        clock: systemClock,
      });
    }
  }

  /** Gives the ports back, and ends what came by them. */
  [Symbol.dispose](): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
    for (const conn of this.#conns) conn.reset();
  }

  async #take(conn: TcpConn, open: () => Promise<Conn>): Promise<void> {
    this.#conns.add(conn);
    try {
      await pipe(conn, await open());
    } catch (error) {
      log.debug("not published", { error });
      conn.reset();
    } finally {
      this.#conns.delete(conn);
    }
  }
}

function listen({ laptop: port }: PublishedPort): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (cause) {
    const isTaken = cause instanceof Deno.errors.AddrInUse;
    if (!isTaken && !(cause instanceof Deno.errors.PermissionDenied)) {
      throw cause;
    }
    const state = isTaken
      ? "is already in use on this laptop"
      : "is not open to this user of the laptop";
    throw new ConnectError({
      kind: isTaken ? "publish-port-in-use" : "publish-port-denied",
      cause: `Cannot publish port ${port}: ${hostname}:${port} ${state}`,
    }, { cause });
  }
}
