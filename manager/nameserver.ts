/**
 * Asks one nameserver raw messages, of which little more than the id is read.
 *
 * 1. The query is sent over UDP from a socket of its own (a fresh port for each is hard to forge), and again in growing
 *    pauses while nothing comes back: it may be lost, or the nameserver slow.
 * 2. When nobody has the port there, or nothing comes back in its turn, that is told, for who knows another one. The
 *    answer is waited for all the same.
 * 3. An answer that was cut short is asked for again over TCP.
 */
import {
  type Clock,
  DnsFrameReader,
  dnsHeaderOctets,
  encodeDnsFrame,
  formatEndpoint,
  type Ip,
  writeAll,
} from "../net/mod.ts";
import { TcpConn, UdpDatagrams } from "../tcp/mod.ts";

/** What is taken over UDP; longer answers are asked for over TCP. */
const maxUdpOctets = 4096;
/** The bit TC in the third octet (RFC 1035 section 4.1.1). */
const truncatedBit = 0x02;
const firstResendMs = 1_000;
/** More than anybody waits for an answer. */
const idleMs = 120_000;
/** How long an answer is waited for before another one is asked, too: a pod's resolver waits for a second or more. */
const turnMs = 1_000;
/** After so long without a word, one that was asked is held to be away, by who calls off as well. */
const silentMs = 500;
/** How long one that is away is waited for before another one is asked: in a cluster, who is there answers sooner. */
const awayTurnMs = 50;

export interface NameserverQuestion {
  /** Ends the question. */
  signal: AbortSignal;
  /** Is told, once or more, that an answer may not come. Not given where there is nobody else to ask. */
  onDoubt?: (() => void) | undefined;
  /** Is told, once or more, that nobody need wait for it: nobody is there, or it was silent for a whole turn. As above. */
  onSpent?: (() => void) | undefined;
}

export class Nameserver {
  readonly #at: { readonly ip: Ip; readonly port: number };
  readonly #clock: Clock;
  /** When it said something last. */
  #heardMs = -Infinity;
  /** It refused, or was silent, and has said nothing since. */
  #isAway = false;

  constructor(at: { ip: Ip; port: number }, { clock }: { clock: Clock }) {
    this.#at = at;
    this.#clock = clock;
  }

  /**
   * Waits for the answer for as long as it may take.
   *
   * @throws the signal's reason; {@link Error} when it can not be asked.
   */
  async ask(
    query: Uint8Array,
    { signal, onDoubt, onSpent }: NameserverQuestion,
  ): Promise<Uint8Array> {
    const askedMs = this.#clock.now();
    const stopDoubt = this.#isAway && onDoubt &&
      this.#clock.after(awayTurnMs, onDoubt);
    const stopTurn = onSpent &&
      this.#clock.after(turnMs, () => {
        this.#noteSilence(askedMs);
        onSpent();
      });
    const onRefused = () => {
      this.#isAway = true;
      onSpent?.();
    };
    try {
      const answer = await this.#askOverUdp(query, { signal, onRefused });
      const isCut = (answer[2]! & truncatedBit) !== 0 ||
        answer.length === maxUdpOctets;
      return isCut ? await this.#askOverTcp(query, signal) : answer;
    } finally {
      if (stopDoubt) stopDoubt();
      stopTurn?.();
      // Who asked may have had less patience than a turn takes.
      this.#noteSilence(askedMs);
    }
  }

  toString(): string {
    return formatEndpoint(this.#at.ip, this.#at.port);
  }

  /** @param sinceMs When it was asked something. */
  #noteSilence(sinceMs: number): void {
    const isSilent = this.#heardMs < sinceMs &&
      this.#clock.now() - sinceMs >= silentMs;
    if (isSilent) this.#isAway = true;
  }

  async #askOverUdp(
    query: Uint8Array,
    { signal, onRefused }: { signal: AbortSignal; onRefused: () => void },
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    const flow = new UdpDatagrams(this.#at, {
      ...{ clock: this.#clock, idleMs, isPatient: true, onRefused },
    });
    const close = () => flow.close();
    signal.addEventListener("abort", close, { once: true });
    const resender = new Resender(this.#clock, () => flow.send(query));
    try {
      const into = new Uint8Array(maxUdpOctets);
      for (;;) {
        const length = await flow.receive(into);
        signal.throwIfAborted();
        if (length === null) throw new Error("Cannot look up: no socket");
        if (
          length >= dnsHeaderOctets && into[0] === query[0] &&
          into[1] === query[1]
        ) {
          this.#heardMs = this.#clock.now();
          this.#isAway = false;
          return into.slice(0, length);
        }
      }
    } finally {
      resender.stop();
      signal.removeEventListener("abort", close);
      flow.close();
      await flow.released;
    }
  }

  async #askOverTcp(
    query: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { ip, port } = this.#at;
    const conn = new TcpConn(
      await Deno.connect({ hostname: `${ip}`, port, signal }),
    );
    const close = () => conn.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      signal.throwIfAborted();
      await writeAll(conn, encodeDnsFrame(query));
      const answer = await new DnsFrameReader(conn).read();
      if (answer !== null) return answer;
      throw new Error(`Cannot look up: ${this} hung up`);
    } finally {
      signal.removeEventListener("abort", close);
      conn.close();
    }
  }
}

/** Does something at once and again after {@link firstResendMs}, then after twice that, and so on. */
class Resender {
  #callOff = () => {};
  #pauseMs = firstResendMs;

  constructor(readonly clock: Clock, readonly send: () => void) {
    this.#go();
  }

  stop(): void {
    this.#callOff();
  }

  #go(): void {
    this.send();
    this.#callOff = this.clock.after(this.#pauseMs, () => this.#go());
    this.#pauseMs *= 2;
  }
}
