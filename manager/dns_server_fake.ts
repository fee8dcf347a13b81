import { createSocket, type Socket } from "node:dgram";

/** A nameserver on loopback, over UDP and TCP on the same port, that answers by `answer`; `undefined` is silence. */
export class FakeDnsServer implements AsyncDisposable {
  /** How often it was asked over UDP and over TCP. */
  readonly asked = { udp: 0, tcp: 0 };
  readonly #socket: Socket;
  readonly #listener: Deno.TcpListener;
  readonly #answer: FakeAnswer;

  private constructor(
    answer: FakeAnswer,
    socket: Socket,
    listener: Deno.TcpListener,
  ) {
    this.#answer = answer;
    this.#socket = socket;
    this.#listener = listener;
    socket.on("message", (query, { port, address }) => {
      this.asked.udp++;
      const bytes = this.#answer(new Uint8Array(query), "udp");
      if (bytes) socket.send(bytes, port, address);
    });
    this.#accept();
  }

  static async start(answer: FakeAnswer): Promise<FakeDnsServer> {
    for (;;) {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const socket = createSocket("udp4");
      try {
        await new Promise<void>((resolve, reject) => {
          socket.once("error", reject);
          socket.bind(listener.addr.port, "127.0.0.1", resolve);
        });
        return new FakeDnsServer(answer, socket, listener);
      } catch {
        // Somebody has the port for UDP: another one.
        listener.close();
        socket.close();
      }
    }
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  /** One query for each connection, which arrives whole. */
  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.asked.tcp++;
      const buffer = new Uint8Array(2000);
      const read = await conn.read(buffer);
      const bytes = this.#answer(buffer.slice(2, read!), "tcp");
      if (bytes) {
        const { length } = bytes;
        await conn.write(new Uint8Array([length >> 8, length, ...bytes]));
        await conn.read(buffer).catch(() => {});
      }
      conn.close();
    }
  }
}

export type FakeAnswer = (
  query: Uint8Array,
  over: "udp" | "tcp",
) => Uint8Array | undefined;
