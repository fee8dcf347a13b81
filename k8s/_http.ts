/** HTTP/1.1 over one connection: one exchange at a time, many after each other. */
import { type Conn, ConnResetError, writeAll } from "../net/mod.ts";
import { ConnSource } from "./_byte_source.ts";
import { type Body, bodyOf } from "./_http_body.ts";
import {
  encodeRequestHead,
  readResponseHead,
  type RequestHead,
  type ResponseHead,
} from "./_http_head.ts";

/** Bounds the head of a response. Pieces of bodies are at most that large. */
const bufferBytes = 64 * 1024;

export interface HttpRequest extends RequestHead {
  body?: Uint8Array;
}

export interface HttpResponse extends ResponseHead {
  body: Body;
}

/** The connection ended before the first byte of an answer: a kept one may have been closed meanwhile. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

/** One connection that speaks HTTP. */
export class HttpConn {
  readonly #conn: Conn;
  readonly #source: ConnSource;

  constructor(conn: Conn) {
    this.#conn = conn;
    this.#source = new ConnSource(conn, bufferBytes);
  }

  /**
   * Sends a request and reads the head of its answer.
   *
   * @throws {UnansweredError} when nothing came back.
   */
  async exchange({ body, ...head }: HttpRequest): Promise<HttpResponse> {
    const bytes = encodeRequestHead(head);
    const answer = await this.#send(bytes, body).catch((cause) => {
      if (!(cause instanceof ConnResetError)) throw cause;
      throw new UnansweredError("Cannot read an answer: reset", { cause });
    });
    if (answer === undefined) {
      throw new UnansweredError("Cannot read an answer: the connection ended");
    }
    return { ...answer, body: bodyOf(this.#source, answer) };
  }

  async #send(head: Uint8Array, body?: Uint8Array) {
    if (body === undefined || body.length === 0) {
      await writeAll(this.#conn, head);
    } else {
      const whole = new Uint8Array(head.length + body.length);
      whole.set(head);
      whole.set(body, head.length);
      await writeAll(this.#conn, whole);
    }
    return await readResponseHead(this.#source);
  }

  close(): void {
    this.#conn.close();
  }
}
