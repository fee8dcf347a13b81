import { createSocket, type Socket } from "node:dgram";
import { DnsFrameReader, encodeDnsFrame, writeAll } from "../net/mod.ts";

/** Answers a query or, with `undefined`, stays silent. */
export type Handle = (
  query: Uint8Array,
  options: { stream: boolean },
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** A nameserver on a loopback address, over UDP and TCP on the same port. */
export class FakeNameserver implements AsyncDisposable {
  /** What it was asked, in order. */
  readonly queries: Uint8Array[] = [];
  #noted = Promise.withResolvers<void>();

  private constructor(
    readonly port: number,
    readonly handle: Handle,
    readonly socket: Socket,
    readonly listener: Deno.TcpListener,
  ) {
    socket.on("message", async (query, from) => {
      this.#note(new Uint8Array(query));
      const answer = await handle(new Uint8Array(query), { stream: false });
      if (answer) socket.send(answer, from.port, from.address);
    });
    this.#accept();
  }

  static async start(
    handle: Handle,
    { address = "127.0.0.1", port = 0 } = {},
  ): Promise<FakeNameserver> {
    for (;;) {
      const listener = Deno.listen({ hostname: address, port });
      const bound = listener.addr.port;
      const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
      try {
        await new Promise<void>((resolve, reject) => {
          socket.once("error", reject);
          socket.bind(bound, address, resolve);
        });
        return new FakeNameserver(bound, handle, socket, listener);
      } catch (error) {
        listener.close();
        socket.close();
        // Somebody may have a port for UDP that is free for TCP.
        if (port !== 0) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  /** Resolves once it was asked `count` times since its start. */
  async asked(count: number): Promise<void> {
    while (this.queries.length < count) await this.#noted.promise;
  }

  #note(query: Uint8Array): void {
    this.queries.push(query);
    this.#noted.resolve();
    this.#noted = Promise.withResolvers<void>();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.listener) {
      const query = await new DnsFrameReader(conn).read();
      if (query !== null) {
        this.#note(query);
        const answer = await this.handle(query, { stream: true });
        if (answer) await writeAll(conn, encodeDnsFrame(answer));
      }
      conn.close();
    }
  }
}
