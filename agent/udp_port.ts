/**
 * One UDP port of the app, which the agent serves in its place: each client address has a flow of its own. A flow whose
 * rules have changed ends, and the client's next datagram begins another.
 */
import { createSocket, type Socket } from "node:dgram";
import type { Buffer } from "node:buffer";
import { logger } from "../log.ts";
import type { AgentPort } from "../manager/api.ts";
import type { Clock } from "../net/mod.ts";
import type { App } from "./app.ts";
import type { Counters } from "./counters.ts";
import type { Fallbacks } from "./fallbacks.ts";
import type { Laptops } from "./laptops.ts";
import type { Managers } from "./managers.ts";
import { UdpFlow } from "./udp_flow.ts";

const log = logger("agent");

/** What comes from more clients is dropped. */
const maxFlows = 1024;

export interface UdpPortOptions {
  readonly port: AgentPort;
  /** Where it listens: `::` is IPv4 too. */
  readonly hostname: string;
  readonly app: App;
  readonly managers: Pick<Managers, "book" | "bell">;
  readonly laptops: Laptops;
  readonly counters: Counters;
  readonly fallbacks: Fallbacks;
  readonly clock: Clock;
}

export class UdpPort implements AsyncDisposable {
  readonly #options: UdpPortOptions;
  readonly #socket: Socket;
  /** By the client's address. */
  readonly #flows = new Map<string, UdpFlow>();
  /** Those that are closed, too, until nothing of them is left. */
  readonly #lasting = new Set<UdpFlow>();
  readonly #listenNoMore: () => void;

  private constructor(options: UdpPortOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    const { bell } = options.managers;
    this.#listenNoMore = bell.listen(() => this.#onRules());
    socket.on("error", (error) => log.warn("a datagram was lost", { error }));
    socket.on("message", (message, from) => this.#onMessage(message, from));
  }

  /** Listens when it resolves. @throws when the system gives no such port. */
  static async open(options: UdpPortOptions): Promise<UdpPort> {
    const { hostname, port: { agentPort } } = options;
    const socket = hostname.includes(":")
      ? createSocket({ type: "udp6", ipv6Only: false })
      : createSocket("udp4");
    const listening = Promise.withResolvers<void>();
    socket.once("error", listening.reject);
    socket.bind(agentPort, hostname, listening.resolve);
    await listening.promise;
    socket.off("error", listening.reject);
    return new UdpPort(options, socket);
  }

  /** When a datagram last came or went. */
  get lastMs(): number {
    return Math.max(
      -Infinity,
      ...[...this.#flows.values()].map(({ lastMs }) => lastMs),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listenNoMore();
    const flows = [...this.#lasting];
    for (const flow of flows) flow.close();
    await Promise.all(flows.map(({ ended }) => ended));
    const closed = Promise.withResolvers<void>();
    this.#socket.close(() => closed.resolve());
    await closed.promise;
  }

  #onMessage(
    message: Buffer,
    from: { address: string; port: number; family: string },
  ): void {
    const key = `${from.address} ${from.port}`;
    const known = this.#flows.get(key);
    const flow = known?.isClosed === false ? known : this.#begin(key, from);
    if (flow === undefined) this.#options.counters.add("datagramsDropped");
    else flow.send(message);
  }

  #begin(
    key: string,
    { address, port }: { address: string; port: number },
  ): UdpFlow | undefined {
    if (this.#flows.size >= maxFlows) return undefined;
    const { managers, ...options } = this.#options;
    const flow = new UdpFlow({
      ...options,
      family: /^::ffff:\d+\./i.test(address) || !address.includes(":") ? 4 : 6,
      rules: managers.book.at(options.port),
      answer: (bytes) =>
        this.#socket.send(bytes.slice(), port, address, () => {}),
    });
    this.#flows.set(key, flow);
    this.#lasting.add(flow);
    void flow.ended.then(() => this.#forget(key, flow));
    return flow;
  }

  #onRules(): void {
    const { managers, port } = this.#options;
    const rules = managers.book.at(port);
    for (const [key, flow] of this.#flows) {
      if (flow.isUnder(rules)) continue;
      flow.close();
      this.#flows.delete(key);
    }
  }

  #forget(key: string, flow: UdpFlow): void {
    this.#lasting.delete(flow);
    if (this.#flows.get(key) === flow) this.#flows.delete(key);
  }
}
