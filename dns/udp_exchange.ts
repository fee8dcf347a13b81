import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { Buffer } from "node:buffer";
import { dnsHeaderOctets, type Ip } from "../net/mod.ts";
import { decodeQuestion, messageId, setMessageId } from "./question.ts";

/** After so many queries a socket gets a successor, and so another port for a forger to guess (RFC 5452 section 9.2). */
const queriesPerSocket = 64;

/** Asks nameservers over UDP, from sockets that many questions share. */
export class UdpExchange implements AsyncDisposable {
  readonly #current = new Map<4 | 6, SharedSocket>();
  readonly #open = new Set<SharedSocket>();

  /**
   * Sends `query` under an id of its own and waits for the answer to it, however long that takes.
   *
   * @returns the answer under the id of `query`.
   * @throws the signal's reason; {@link Error} when there is no socket, or the datagram can not be sent.
   */
  ask(
    query: Uint8Array,
    { to, port, signal }: { to: Ip; port: number; signal: AbortSignal },
  ): Promise<Uint8Array> {
    let socket = this.#current.get(to.family);
    if (socket === undefined || socket.isSpent) {
      socket?.retire();
      const fresh = new SharedSocket(to.family, () => this.#open.delete(fresh));
      socket = fresh;
      this.#open.add(fresh);
      this.#current.set(to.family, fresh);
    }
    return socket.ask(query, { to, port, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#current.clear();
    await Promise.all([...this.#open].map((socket) => socket.close()));
  }
}

interface Waiting {
  readonly query: Uint8Array;
  readonly to: string;
  readonly port: number;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** One socket; answers find their question by id, sender and the question itself. */
class SharedSocket {
  #used = 0;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed = Promise.withResolvers<void>();
  #retired = false;
  #closing = false;

  constructor(family: 4 | 6, onClose: () => void) {
    this.#socket = createSocket(family === 4 ? "udp4" : "udp6");
    this.#socket.on("message", (message, from) => this.#take(message, from));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => {
      onClose();
      this.#closed.resolve();
    });
  }

  /** Nobody may ask by it any more: it has asked its share, or broke. */
  get isSpent(): boolean {
    return this.#retired || this.#used >= queriesPerSocket;
  }

  async ask(
    query: Uint8Array,
    { to, port, signal }: { to: Ip; port: number; signal: AbortSignal },
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    this.#used++;
    const id = this.#freeId();
    const sent = Buffer.from(query);
    setMessageId(sent, id);
    const answered = Promise.withResolvers<Uint8Array>();
    const onAbort = () => answered.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.set(id, {
      query: sent,
      to: to.bare.toString(), // senders are told without their zone
      port,
      resolve: answered.resolve,
      reject: answered.reject,
    });
    try {
      this.#socket.send(sent, port, to.toString(), (error) => {
        if (error) answered.reject(error);
      });
      const answer = await answered.promise;
      setMessageId(answer, messageId(query));
      return answer;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#waiting.delete(id);
      if (this.#retired && this.#waiting.size === 0) this.close();
    }
  }

  /** Closes once nobody waits. */
  retire(): void {
    this.#retired = true;
    if (this.#waiting.size === 0) this.close();
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#socket.close();
    }
    return this.#closed.promise;
  }

  /** It could not be opened, as when no descriptor is left: it will bring nobody an answer. */
  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.retire();
  }

  #take(message: Uint8Array, from: RemoteInfo): void {
    if (message.length < dnsHeaderOctets) return;
    const waiting = this.#waiting.get(messageId(message));
    if (
      waiting === undefined || from.port !== waiting.port ||
      from.address !== waiting.to || !answersQuestion(message, waiting.query)
    ) return;
    // A copy: the slices of a Buffer are not.
    waiting.resolve(new Uint8Array(message));
  }

  #freeId(): number {
    const id = new Uint16Array(1);
    do crypto.getRandomValues(id); while (this.#waiting.has(id[0]!));
    return id[0]!;
  }
}

/** False for an answer to another question. An error may come back without its question, but then without records. */
function answersQuestion(answer: Uint8Array, query: Uint8Array): boolean {
  const asked = decodeQuestion(query);
  const answered = decodeQuestion(answer);
  if (asked === undefined) return true;
  if (answered === undefined) {
    return answer.subarray(4, dnsHeaderOctets).every((octet) => octet === 0);
  }
  return answered.name.equals(asked.name) && answered.type === asked.type &&
    answered.class === asked.class;
}
