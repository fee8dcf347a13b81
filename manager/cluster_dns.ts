/**
 * Asks the cluster's DNS raw messages. Of a message only the id and the mark of truncation are read.
 *
 * 1. The query is sent over UDP from a socket of its own (a fresh port for each is hard to forge), and again in growing
 *    pauses while nothing comes back: it may be lost, or the nameserver slow.
 * 2. An answer that was cut short is asked for again over TCP.
 * 3. How long it may take is the asker's to say, by its signal.
 */
import {
  type Clock,
  type Conn,
  formatEndpoint,
  type Ip,
  RefusedError,
  writeAll,
} from "../net/mod.ts";
import { refusalOfError, TcpConn, UdpDatagrams } from "../tcp/mod.ts";

const headerOctets = 12;
/** What is taken over UDP; longer answers are asked for over TCP. */
const maxUdpOctets = 4096;
/** The bit TC in the third octet (RFC 1035 section 4.1.1). */
const truncatedBit = 0x02;
const firstResendMs = 1_000;
/** For an asker that does not call off: no laptop waits for longer. */
const timeoutMs = 60_000;

export interface ClusterDnsOptions {
  nameserver: Ip;
  port?: number;
  clock: Clock;
}

export class ClusterDns {
  readonly #nameserver: { ip: Ip; port: number };
  readonly #clock: Clock;

  constructor({ nameserver, port = 53, clock }: ClusterDnsOptions) {
    this.#nameserver = { ip: nameserver, port };
    this.#clock = clock;
  }

  /** @throws {RefusedError} when there is no answer. */
  async ask(
    query: Uint8Array,
    { signal }: { signal: AbortSignal },
  ): Promise<Uint8Array> {
    if (query.length < headerOctets) {
      throw new RefusedError("failed", "Cannot look up: not a DNS message");
    }
    const late = new AbortController();
    const { ip, port } = this.#nameserver;
    const callOff = this.#clock.after(timeoutMs, () => {
      const detail = `Cannot look up: ${formatEndpoint(ip, port)} is silent`;
      late.abort(new RefusedError("timeout", detail));
    });
    const any = AbortSignal.any([signal, late.signal]);
    try {
      const answer = await this.#askOverUdp(query, any);
      const isCut = (answer[2]! & truncatedBit) !== 0 ||
        answer.length === maxUdpOctets;
      return isCut ? await this.#askOverTcp(query, any) : answer;
    } catch (error) {
      throw refusalOfError(any.aborted ? any.reason : error);
    } finally {
      callOff();
    }
  }

  async #askOverUdp(
    query: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    const flow = new UdpDatagrams(this.#nameserver, {
      clock: this.#clock,
      idleMs: 2 * timeoutMs,
      isPatient: true,
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
          length >= headerOctets && into[0] === query[0] && into[1] === query[1]
        ) return into.slice(0, length);
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
    const { ip, port } = this.#nameserver;
    const conn = new TcpConn(
      await Deno.connect({ hostname: `${ip}`, port, signal }),
    );
    const close = () => conn.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      // Each message stands behind its length (RFC 1035 section 4.2.2).
      const frame = new Uint8Array([query.length >> 8, query.length, ...query]);
      await writeAll(conn, frame);
      const length = await readExactly(conn, 2);
      return await readExactly(conn, length[0]! << 8 | length[1]!);
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

async function readExactly(
  conn: Conn,
  octets: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(octets);
  for (let at = 0; at < octets;) {
    const read = await conn.read(bytes.subarray(at));
    if (read === null) throw new Error("Cannot look up: cut off");
    at += read;
  }
  return bytes;
}
