/** Who has a UDP port on a loopback address, and speaks when it is told to. */
import { createSocket, type Socket } from "node:dgram";
import { type Endpoint, Ip } from "../net/mod.ts";

/** What a peer heard: a text, and the port that it is of. */
export interface Heard {
  readonly text: string;
  readonly port: number;
}

export class UdpPeer implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #heard: Heard[] = [];
  #wake = () => {};

  private constructor(socket: Socket, ip: Ip) {
    this.#socket = socket;
    this.endpoint = { ip, port: socket.address().port };
    socket.on("message", (message, { port }) => {
      this.#heard.push({ text: new TextDecoder().decode(message), port });
      this.#wake();
    });
  }

  static async open(address = "127.0.0.1"): Promise<UdpPeer> {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    return new UdpPeer(socket, Ip.parse(address));
  }

  get port(): number {
    return this.endpoint.port;
  }

  /** To a port of its own address. Resolves when it was sent. */
  async send(text: string, port: number): Promise<void> {
    const { ip } = this.endpoint;
    await new Promise((resolve) =>
      this.#socket.send(text, port, String(ip), resolve)
    );
  }

  /** The next that it hears. */
  async next(): Promise<Heard> {
    while (this.#heard.length === 0) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#heard.shift()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
