import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { logger } from "../../log.ts";
import { type Conn, type Datagrams, forwardDatagrams } from "../../net/mod.ts";
import { decodeSocksAddress, encodeSocksAddress } from "./socks_address.ts";
import type { ProxyOptions } from "./proxy.ts";

const log = logger("connector");

/** Flows of one client at a time; one more ends the oldest. */
const maxFlows = 256;
/** Datagrams that wait for a dial. */
const maxWaiting = 32;
/** Two reserved octets and the number of a fragment stand before the address (RFC 1928 section 7). */
const addressAt = 3;

interface Flow {
  /** Before it is dialled. */
  waiting: Uint8Array[];
  datagrams?: Datagrams;
  readonly abort: AbortController;
}

/** The datagrams of one client: a socket that takes them from where the first one came, and a flow for each destination. */
export class SocksDatagrams {
  readonly #outbound: ProxyOptions["outbound"];
  readonly #socket: Socket;
  /** By the destination's octets as the client writes them. */
  readonly #flows = new Map<string, Flow>();
  #client: number | undefined;

  private constructor(outbound: ProxyOptions["outbound"], socket: Socket) {
    this.#outbound = outbound;
    this.#socket = socket;
    socket.on("message", (message, { port }) => this.#take(message, port));
    socket.on("error", (error) => log.debug("datagrams lost", { error }));
  }

  static async open(
    outbound: ProxyOptions["outbound"],
  ): Promise<SocksDatagrams> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new SocksDatagrams(outbound, socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The association lasts as long as the connection by which it was asked for. */
  async serveUntilEnd(client: Pick<Conn, "read">): Promise<void> {
    const nothing = new Uint8Array(64);
    try {
      while (await client.read(nothing) !== null);
    } finally {
      for (const flow of this.#flows.values()) end(flow);
      this.#socket.close();
    }
  }

  #take(message: Uint8Array, port: number): void {
    this.#client ??= port;
    const to = decodeSocksAddress(message, addressAt);
    // Nobody sends fragments: RFC 1928 lets them be dropped.
    if (port !== this.#client || to === undefined || message[2] !== 0) return;
    const payload = message.slice(to.end);
    const key = String.fromCharCode(...message.subarray(addressAt, to.end));
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      const begun: Flow = { waiting: [], abort: new AbortController() };
      this.#makeRoom();
      this.#flows.set(key, flow = begun);
      void this.#serve(begun, to).finally(() => {
        if (this.#flows.get(key) === begun) this.#flows.delete(key);
      });
    }
    if (flow.datagrams) flow.datagrams.send(payload);
    else if (flow.waiting.length < maxWaiting) flow.waiting.push(payload);
  }

  #makeRoom(): void {
    if (this.#flows.size < maxFlows) return;
    const [oldest] = this.#flows;
    end(oldest![1]);
    this.#flows.delete(oldest![0]);
  }

  async #serve(
    flow: Flow,
    { host, port }: { host: string; port: number },
  ): Promise<void> {
    const { signal } = flow.abort;
    try {
      const [ip] = await this.#outbound.addresses(host);
      if (ip === undefined || signal.aborted) return;
      const datagrams = await this.#outbound.dialDatagrams(ip, port, {
        signal,
      });
      flow.datagrams = datagrams;
      if (signal.aborted) return datagrams.close();
      for (const payload of flow.waiting) datagrams.send(payload);
      const head = encodeSocksAddress({ host: ip.toString(), port });
      await this.#answer(datagrams, head);
    } catch (error) {
      log.debug("datagrams not sent", { error });
    } finally {
      flow.datagrams?.close();
    }
  }

  async #answer(datagrams: Datagrams, address: Uint8Array): Promise<void> {
    const start = addressAt + address.length;
    await forwardDatagrams(datagrams, (bytes) => {
      // The socket keeps what it is given until it is sent.
      const message = new Uint8Array(start + bytes.length);
      message.set(address, addressAt);
      message.set(bytes, start);
      this.#socket.send(message, this.#client!, "127.0.0.1", () => {});
    });
  }
}

function end({ abort, datagrams }: Flow): void {
  abort.abort();
  datagrams?.close();
}
