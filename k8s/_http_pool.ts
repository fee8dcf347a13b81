/** Kept connections to one server, so that a request pays no handshake. */
import type { Clock, Conn } from "../net/mod.ts";
import {
  HttpConn,
  type HttpRequest,
  type HttpResponse,
  UnansweredError,
} from "./_http.ts";
import type { ClientCertificate } from "./credential.ts";

/** A kept connection is not used after this time without use, in ms: proxies forget them after a minute or so. */
const idleMs = 30_000;
/** More than these are closed after use. */
const keptLimit = 4;

export interface HttpPoolOptions {
  dial(o: {
    certificate: ClientCertificate | undefined;
    signal: AbortSignal;
  }): Promise<Conn>;
  clock: Clock;
}

export interface PoolRequest extends HttpRequest {
  certificate?: ClientCertificate | undefined;
  /** Aborts the exchange, also while its body is read. */
  signal: AbortSignal;
  /** Whether it may be sent a second time when a kept connection turns out dead. */
  repeatable: boolean;
}

/** An answer that holds its connection until it is read to the end or discarded. */
export interface PoolResponse extends HttpResponse {
  /** Closes the connection. Idempotent; nothing after the end of the body. */
  discard(): void;
}

interface Kept {
  http: HttpConn;
  certificate: ClientCertificate | undefined;
  since: number;
}

export class HttpPool implements Disposable {
  readonly #options: HttpPoolOptions;
  #kept: Kept[] = [];
  readonly #busy = new Set<HttpConn>();
  #disposed = false;

  constructor(options: HttpPoolOptions) {
    this.#options = options;
  }

  async exchange(request: PoolRequest): Promise<PoolResponse> {
    const kept = this.#take(request.certificate);
    if (kept) {
      try {
        return await this.#over(kept, request);
      } catch (error) {
        const dead = error instanceof UnansweredError && request.repeatable;
        if (!dead || request.signal.aborted) throw error;
      }
    }
    const { certificate, signal } = request;
    const conn = await this.#options.dial({ certificate, signal });
    return await this.#over(new HttpConn(conn), request);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const { http } of this.#kept) http.close();
    for (const http of this.#busy) http.close();
    this.#kept = [];
  }

  async #over(http: HttpConn, request: PoolRequest): Promise<PoolResponse> {
    const { signal, certificate } = request;
    this.#busy.add(http);
    let held = true;
    /** Lets go of the connection, once: `then` says what becomes of it. */
    const release = (then: () => void) => {
      if (!held) return;
      held = false;
      signal.removeEventListener("abort", discard);
      this.#busy.delete(http);
      then();
    };
    const discard = () => release(() => http.close());
    const keep = () =>
      release(() => {
        const since = this.#options.clock.now();
        this.#keep({ http, certificate, since });
      });
    signal.addEventListener("abort", discard, { once: true });
    if (signal.aborted || this.#disposed) discard();
    try {
      const response = await http.exchange(request);
      const after = response.reusable ? keep : discard;
      const body = endingBody(response.body, { after, signal });
      return { ...response, body, discard };
    } catch (error) {
      discard();
      throw signal.aborted ? signal.reason : error;
    }
  }

  #take(certificate: ClientCertificate | undefined): HttpConn | undefined {
    const oldest = this.#options.clock.now() - idleMs;
    for (let last = this.#kept.pop(); last; last = this.#kept.pop()) {
      if (last.since >= oldest && last.certificate === certificate) {
        return last.http;
      }
      last.http.close();
    }
    return undefined;
  }

  #keep(kept: Kept): void {
    if (this.#disposed || this.#kept.length >= keptLimit) kept.http.close();
    else this.#kept.push(kept);
  }
}

/** Calls `after` at the end of the body, once; an error is the signal's reason when that aborted. */
function endingBody(
  body: HttpResponse["body"],
  { after, signal }: { after: () => void; signal: AbortSignal },
): HttpResponse["body"] {
  let ended = false;
  return {
    async read() {
      if (ended) return null;
      try {
        const piece = await body.read();
        if (piece === null) {
          ended = true;
          after();
        }
        return piece;
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      }
    },
  };
}
