import {
  type Clock,
  echoHeaderBytes,
  echoIdentifierAt,
  echoInFlow,
  echoSequenceAt,
  echoTypes,
  type Ip,
  isEcho,
  readUint16,
  writeUint16,
} from "../net/mod.ts";
import type { OpenPingSocket, PingSocket } from "../tcp/mod.ts";

/** Who has not replied by then is not waited for. */
const patienceMs = 10_000;
/** Requests under way; one more and the oldest is not waited for. */
const maxAsked = 8192;
const messageBytes = 0x10000;

interface Question {
  readonly to: Ip;
  /** As the laptop's program counts. */
  readonly sequence: number;
  readonly answer: (reply: Uint8Array) => void;
  readonly sinceMs: number;
}

export interface EchoProberOptions {
  readonly family: 4 | 6;
  readonly open: OpenPingSocket;
  readonly clock: Clock;
}

/**
 * Asks addresses of one family by ICMP echo, by one socket for all that are under way: each request has a sequence number
 * of ours, by which its reply is found, and which is the asker's own again in it. Without a request there is no socket.
 */
export class EchoProber {
  readonly #options: EchoProberOptions;
  /** By sequence number; the oldest first. */
  readonly #asked = new Map<number, Question>();
  readonly #request = new Uint8Array(messageBytes);
  readonly #reply = new Uint8Array(messageBytes);
  #socket: PingSocket | undefined;
  #serving = Promise.resolve();
  #last = 0;

  constructor(options: EchoProberOptions) {
    this.#options = options;
  }

  /** False when the system lets this process send none. */
  get isAllowed(): boolean {
    if (this.#socket !== undefined) return true;
    const socket = this.#options.open(this.#options.family);
    socket?.close();
    return socket !== undefined;
  }

  /**
   * Sends a request; `answer` is given the reply, if one comes. Both are as they cross a flow of echoes.
   *
   * @returns false when it was not sent.
   */
  ask(
    to: Ip,
    request: Uint8Array,
    answer: (reply: Uint8Array) => void,
  ): boolean {
    const { family, clock } = this.#options;
    const end = echoIdentifierAt + request.length;
    if (end > messageBytes || !this.#openSocket()) return false;
    this.#makeRoom();
    const message = this.#request.subarray(0, end);
    message.set(request, echoIdentifierAt);
    const sequence = readUint16(message, echoSequenceAt);
    message.fill(0, 0, echoHeaderBytes);
    message[0] = echoTypes[family].request;
    const own = this.#nextSequence();
    writeUint16(message, echoSequenceAt, own);
    this.#asked.set(own, { to, sequence, answer, sinceMs: clock.now() });
    const isSent = this.#socket!.send(to, message);
    if (!isSent) this.#asked.delete(own);
    return isSent;
  }

  /** Waits for no reply any more. Resolves when there is no socket. */
  async stop(): Promise<void> {
    this.#asked.clear();
    await this.#serving;
  }

  #openSocket(): boolean {
    if (this.#socket !== undefined) return true;
    this.#socket = this.#options.open(this.#options.family);
    if (this.#socket === undefined) return false;
    this.#serving = this.#serve(this.#socket);
    return true;
  }

  /** Until nothing is under way. */
  async #serve(socket: PingSocket): Promise<void> {
    do {
      const received = await socket.receive(this.#reply);
      if (received) this.#onReply(received);
      this.#forgetOld();
    } while (this.#asked.size > 0);
    this.#socket = undefined;
    socket.close();
  }

  #onReply({ from, length }: { from: Ip; length: number }): void {
    const { family } = this.#options;
    const message = this.#reply.subarray(0, length);
    if (!isEcho(message, { family, kind: "reply" })) return;
    const own = readUint16(message, echoSequenceAt);
    const question = this.#asked.get(own);
    if (!question?.to.equals(from)) return;
    this.#asked.delete(own);
    writeUint16(message, echoSequenceAt, question.sequence);
    question.answer(echoInFlow(message, "reply").slice());
  }

  #makeRoom(): void {
    const [oldest] = this.#asked.keys();
    if (this.#asked.size >= maxAsked) this.#asked.delete(oldest!);
  }

  #forgetOld(): void {
    const now = this.#options.clock.now();
    for (const [own, { sinceMs }] of this.#asked) {
      if (now - sinceMs < patienceMs) return;
      this.#asked.delete(own);
    }
  }

  #nextSequence(): number {
    do this.#last = this.#last + 1 & 0xffff; while (
      this.#asked.has(this.#last)
    );
    return this.#last;
  }
}
