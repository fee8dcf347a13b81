import { type Ip, systemClock } from "../net/mod.ts";
import { logger } from "../log.ts";

const log = logger("vpn");

/** Handshakes that the kernel completes ahead of us. */
const backlog = 4096;
/** Accepting fails when descriptors run out; some are given back in time. */
const retryMs = 100;

/** Where flows that were turned round arrive: a port of the kernel's choice. */
export class Listener {
  readonly #listener: Deno.TcpListener;
  readonly #closing = new AbortController();
  /** Resolves when nothing is accepted any more. */
  readonly closed: Promise<void>;

  /**
   * @param onAccept Owns each connection that it is given.
   * @throws {Error} when this host does not have the address.
   */
  constructor(ip: Ip, onAccept: (conn: Deno.TcpConn) => void) {
    this.#listener = Deno.listen({
      hostname: ip.toString(),
      port: 0,
      tcpBacklog: backlog,
    });
    this.closed = this.#accept(onAccept);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#listener.close();
  }

  async #accept(onAccept: (conn: Deno.TcpConn) => void): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        onAccept(await this.#listener.accept());
      } catch (error) {
        if (signal.aborted) return;
        if (isOfConnection(error)) continue;
        log.warn("connection not accepted", { error });
        await pause(signal);
      }
    }
  }
}

/** True when the connection had broken off before it was accepted. */
function isOfConnection(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = systemClock.after(retryMs, resolve);
    signal.addEventListener("abort", () => (cancel(), resolve()));
  });
}
