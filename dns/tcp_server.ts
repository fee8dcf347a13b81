import {
  type Clock,
  type Conn,
  DnsFrameReader,
  encodeDnsFrame,
  writeAll,
} from "../net/mod.ts";
import type { AnswerOne } from "./udp_flow.ts";

/** Queries of one connection that are answered at a time; more wait in the connection. */
const maxInFlight = 64;
/** A connection on which nothing is asked for so long is closed (RFC 7766 section 6.2.3). */
const idleMs = 30_000;

/**
 * Answers the queries of one TCP connection until its end. They may follow each other without waiting, and each is
 * answered as soon as it can be (RFC 7766 sections 6.2.1.1 and 7). The connection is closed when it resolves.
 */
export async function serveTcp(
  conn: Conn,
  { answerOne, clock }: { answerOne: AnswerOne; clock: Clock },
): Promise<void> {
  const frames = new DnsFrameReader(conn);
  const writer = new FrameWriter(conn);
  const inFlight = new Set<Promise<void>>();
  const idle = new IdleTimer(clock, () => conn.close());
  try {
    for (;;) {
      idle.start();
      const query = await frames.read();
      idle.stop();
      if (query === null) break;
      const answering = answerOne(query).then((answer) =>
        answer && writer.write(answer)
      ).finally(() => inFlight.delete(answering));
      answering.catch(() => {}); // told to the loop by its next read or write
      inFlight.add(answering);
      if (inFlight.size >= maxInFlight) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
    await conn.closeWrite();
    conn.close();
  } catch {
    conn.reset();
  } finally {
    idle.stop();
  }
}

/** Writes frames one after the other. */
class FrameWriter {
  #last: Promise<void> = Promise.resolve();

  constructor(readonly conn: Conn) {}

  write(message: Uint8Array): Promise<void> {
    this.#last = this.#last.then(() =>
      writeAll(this.conn, encodeDnsFrame(message))
    );
    return this.#last;
  }
}

class IdleTimer {
  #callOff = () => {};

  constructor(readonly clock: Clock, readonly onIdle: () => void) {}

  start(): void {
    this.#callOff = this.clock.after(idleMs, this.onIdle);
  }

  stop(): void {
    this.#callOff();
  }
}
