/**
 * SOCKS5 and HTTP at one port of the loopback address.
 *
 * 1. The first octet tells which of the two a client speaks.
 * 2. It shows the password, which is made for this proxy: other users of the laptop reach loopback too.
 * 3. Names are the cluster's as for `tp connect`, or the laptop's; the flow is dialled there, and joined.
 */
import { randomBytes } from "node:crypto";
import { ByteSource } from "../../http/mod.ts";
import { logger } from "../../log.ts";
import { Slots, systemClock } from "../../net/mod.ts";
import { acceptLoop, TcpConn } from "../../tcp/mod.ts";
import type { Outbound } from "../outbound/mod.ts";
import { Credential } from "./credential.ts";
import { serveHttpProxy } from "./http_proxy.ts";
import { serveSocks, socksVersion } from "./socks.ts";

const log = logger("connector");

/** Connections at a time; more are closed. */
const maxConns = 4096;
/** How long a client may take to say where it wants to go. */
const greetingMs = 30_000;

/** What the ways of a proxy are given. */
export interface ProxyOptions {
  readonly outbound: Pick<Outbound, "dialName" | "dialDatagrams" | "addresses">;
  readonly credential: Credential;
  /** Aborts when the client took too long, or the proxy is closed, before it is clear where the connection goes. */
  readonly signal: AbortSignal;
}

/** Starts one at a port of the kernel's choice. */
export function openProxy(outbound: ProxyOptions["outbound"]): Proxy {
  return new Proxy(outbound);
}

/** What was refused is heard by who still sends: a flow that is closed with something unread is reset. */
async function drain(client: ByteSource): Promise<void> {
  const nothing = new Uint8Array(4096);
  while (await client.read(nothing) !== null);
}

/** Dispose of it to break off what goes through it. */
export class Proxy implements AsyncDisposable {
  readonly #outbound: ProxyOptions["outbound"];
  readonly #credential = new Credential("tp", randomBytes(16).toString("hex"));
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #slots = new Slots(maxConns);
  readonly #conns = new Set<ByteSource>();
  readonly #closed = new AbortController();
  readonly #accepting: Promise<void>;

  constructor(outbound: ProxyOptions["outbound"]) {
    this.#outbound = outbound;
    this.#accepting = acceptLoop(this.#listener, {
      take: (conn) => void this.#serve(new ByteSource(new TcpConn(conn))),
      onTrouble: (error) => log.warn("connection not accepted", { error }),
      clock: systemClock,
    });
  }

  /** Where it listens, with its password: the part of a URL between scheme and path. */
  get authority(): string {
    const { user, password } = this.#credential;
    return `${user}:${password}@127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#listener.close();
    for (const conn of this.#conns) conn.reset();
    await this.#accepting;
    await this.#slots.empty();
  }

  async #serve(client: ByteSource): Promise<void> {
    using slot = this.#slots.take();
    if (slot === undefined) return client.reset();
    this.#conns.add(client);
    const slow = new AbortController();
    const timer = setTimeout(() => {
      slow.abort();
      client.reset();
    }, greetingMs);
    try {
      const options: ProxyOptions = {
        outbound: this.#outbound,
        credential: this.#credential,
        signal: AbortSignal.any([slow.signal, this.#closed.signal]),
      };
      if (!await client.fill()) return;
      const serve = client.unread[0] === socksVersion
        ? serveSocks
        : serveHttpProxy;
      const join = await serve(client, options);
      if (join === undefined) return await drain(client);
      clearTimeout(timer);
      await join();
    } catch (error) {
      log.debug("a client of the proxy was given up", { error });
      client.reset();
    } finally {
      clearTimeout(timer);
      client.close();
      this.#conns.delete(client);
    }
  }
}
