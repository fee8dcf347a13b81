/**
 * Serves the one connector.
 *
 * 1. Who connects is known by the kernel. Another user is told who holds the network; where the daemon is a service, who
 *    may open its socket is decided by the socket's group.
 * 2. The first who says hello is the connector; others of its user are told that it is held, or only look and leave.
 * 3. Requests are served in order. Heartbeats keep the resolver ours.
 * 4. The connector's end-of-file, a message that cannot be read, or nobody coming at all is the end.
 */
import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MessageError,
  type Reply,
} from "./api.ts";
import type { Host } from "./host.ts";
import { type ProcessState, processState, stateOf } from "../process/mod.ts";
import { Refused } from "./refusal.ts";
import type { ResolverKeeper } from "./resolver_keeper.ts";
import type { MessageListener, MessageSocket, Sockets } from "./sockets.ts";

const log = logger("daemon");

/** How long a look at the sockets lasts, and so how late the other duties are at most. */
const turnMs = 250;
/** How long a daemon without a connector waits for one. */
const lonelyMs = 30_000;
/** Connections that have not said hello, of the user and of others each; the oldest gives way. */
const maxVisitors = 8;
/** Messages of one connection that are served before the others' turn. */
const maxMessages = 64;

export interface ServerOptions {
  sockets: Sockets;
  listener: MessageListener;
  /** Who is served; root is, too. Without it everybody who could open the socket. */
  uid?: number;
  host: Host;
  resolver: ResolverKeeper;
  clock: Clock;
  /** Called every quarter of a second. */
  everyTurn: () => Promise<void>;
  signal: AbortSignal;
}

export class Server implements Disposable {
  readonly #options: ServerOptions;
  /** Who has not said hello, and whether they may. */
  readonly #visitors = new Map<MessageSocket, { served: boolean }>();
  #connector: MessageSocket | undefined;
  #process: ProcessState | undefined;
  #ended = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the connector has ended, none has come, or the signal aborts. The connections stay open until the
   * server is disposed of or the process exits.
   */
  async run(): Promise<void> {
    const { sockets, listener, clock, signal, everyTurn } = this.#options;
    const startedAt = clock.now();
    while (!this.#ended && !signal.aborted) {
      const all = [listener, ...this.#connections()];
      await sockets.waitReadable(all, turnMs);
      this.#accept();
      for (const socket of this.#connections()) await this.#serve(socket);
      await this.#watchConnector();
      await everyTurn();
      const isLonely = this.#connector === undefined &&
        clock.now() - startedAt > lonelyMs;
      if (isLonely) {
        log.info("no connector came");
        return;
      }
    }
  }

  /** The connections read end-of-file. */
  [Symbol.dispose](): void {
    for (const socket of this.#connections()) socket[Symbol.dispose]();
  }

  #connections(): MessageSocket[] {
    return [
      ...this.#visitors.keys(),
      ...this.#connector ? [this.#connector] : [],
    ];
  }

  #accept(): void {
    const { listener } = this.#options;
    for (;;) {
      const socket = listener.accept();
      if (socket === undefined) return;
      const { uid } = socket.peer();
      const served = [undefined, uid].includes(this.#options.uid) || uid === 0;
      this.#visitors.set(socket, { served });
      const [first, ...others] = [...this.#visitors.keys()]
        .filter((visitor) => this.#visitors.get(visitor)?.served === served);
      if (others.length >= maxVisitors) this.#dismiss(first!);
    }
  }

  #turnAway(socket: MessageSocket, sequence: number): void {
    const { uid = this.#connector!.peer().uid } = this.#options;
    socket.send(encodeMessage({ kind: "held", uid, sequence }));
    this.#dismiss(socket);
  }

  #dismiss(socket: MessageSocket): void {
    this.#visitors.delete(socket);
    socket[Symbol.dispose]();
  }

  async #serve(socket: MessageSocket): Promise<void> {
    for (let n = 0; n < maxMessages && !this.#ended; n++) {
      const received = socket.receive();
      if (received === "nothing") return;
      const isConnector = socket === this.#connector;
      if (received === "end") {
        if (isConnector) this.#ended = true;
        else this.#dismiss(socket);
        return;
      }
      const message = this.#read(socket, received.bytes);
      if (isConnector && message !== undefined) {
        await this.#answer(socket, message);
      } else if (isConnector) this.#ended = true;
      else if (message?.kind !== "hello") return this.#dismiss(socket);
      else if (this.#connector || !this.#visitors.get(socket)?.served) {
        return this.#turnAway(socket, message.sequence);
      } else await this.#welcome(socket, message.sequence);
    }
  }

  /** `undefined` for what is no message; the other end is told. */
  #read(socket: MessageSocket, bytes: Uint8Array): Message | undefined {
    try {
      return decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      log.warn("a message cannot be read", { error });
      const { code } = error;
      socket.send(encodeMessage({ kind: "refused", code, sequence: 0 }));
      return undefined;
    }
  }

  async #welcome(socket: MessageSocket, sequence: number): Promise<void> {
    this.#visitors.delete(socket);
    this.#connector = socket;
    const { pid, uid } = socket.peer();
    this.#process = await processState(pid);
    log.info("connector", { pid, uid });
    await this.#options.resolver.heard();
    socket.send(encodeMessage({ kind: "welcome", sequence }));
  }

  async #answer(socket: MessageSocket, message: Message): Promise<void> {
    const { sequence } = message;
    try {
      const reply = await this.#do(message);
      if (reply === undefined) return;
      const { fd } = reply;
      const bytes = encodeMessage({ ...reply.message, sequence });
      if (!socket.send(bytes, fd)) this.#ended = true;
      if (fd !== undefined) this.#options.host.closeDescriptor(fd);
    } catch (error) {
      log.warn("refused", { request: message.kind, error });
      const code = error instanceof Refused ? error.code : "kernel";
      socket.send(encodeMessage({ kind: "refused", code, sequence }));
    }
  }

  /** `undefined`: nothing is answered. */
  async #do(
    request: Message,
  ): Promise<{ message: Reply; fd?: number } | undefined> {
    const { host, resolver } = this.#options;
    switch (request.kind) {
      case "heartbeat":
        await resolver.heard().catch((error) =>
          log.warn("resolver not applied again", { error })
        );
        return undefined;
      case "openDevice": {
        const { name, fd } = await host.openDevice(request);
        return { message: { kind: "device", name }, fd };
      }
      case "addRoute":
        await host.addRoute(request.subnet);
        break;
      case "deleteRoute":
        await host.deleteRoute(request.subnet);
        break;
      case "setResolver": {
        const reason = await host.setResolver(request.nameserver);
        return { message: { kind: "resolver", reason } };
      }
      case "addZone":
        host.addZone(request);
        break;
      case "restoreResolver":
        await host.restoreResolver();
        break;
      default:
        throw new Refused("malformed");
    }
    return { message: { kind: "done" } };
  }

  /** A connector that is stopped by a signal is as good as silent, and is seen sooner. */
  async #watchConnector(): Promise<void> {
    const state = this.#process && await stateOf(this.#process);
    const stopped = state?.stopped ?? false;
    try {
      await this.#options.resolver.tick({ stopped });
    } catch (error) {
      log.warn("resolver not kept", { error });
    }
  }
}
