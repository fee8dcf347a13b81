/** An API server for tests: TLS, one request after the other, answers by a function. It can hand a connection over. */

const testdata = new URL("./testdata/", import.meta.url);

/** PEM files made for the tests: an authority `ca`, certificates `server` (localhost, 127.0.0.1), `elsewhere` (api.elsewhere.test),
 * `expired`, `client`. */
export function pem(name: string): string {
  return Deno.readTextFileSync(new URL(name, testdata));
}

export interface FakeRequest {
  method: string;
  /** Path without query. */
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: string;
}

export interface FakeAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** A value is sent as JSON, text as it is, pieces as chunks. */
  body?: unknown;
  pieces?: AsyncIterable<string>;
  /** After the head the connection is the function's. */
  takeOver?: (conn: Deno.Conn) => Promise<void>;
}

export type FakeHandler = (
  request: FakeRequest,
) => FakeAnswer | Promise<FakeAnswer>;

export class FakeApiServer implements AsyncDisposable {
  /** All that was asked, as `GET /path`. */
  readonly asked: FakeRequest[] = [];
  /** How many connections were taken. */
  connections = 0;
  readonly #listener: Deno.Listener;
  readonly #handler: FakeHandler;
  readonly #conns = new Set<Deno.Conn>();
  readonly #running: Promise<void>;

  private constructor(listener: Deno.Listener, handler: FakeHandler) {
    this.#listener = listener;
    this.#handler = handler;
    this.#running = this.#accept();
  }

  /**
   * @param options.name Whose certificate it shows; none: it speaks without TLS.
   * @param options.hostname Where it listens; without a port, on any that is free.
   */
  static start(
    handler: FakeHandler,
    { name = "server", hostname = "127.0.0.1", port = 0 }: {
      name?: string | undefined;
      hostname?: string;
      port?: number;
    } = {},
  ): FakeApiServer {
    const at = { hostname, port };
    const listener = name === "" ? Deno.listen(at) : Deno.listenTls({
      ...at,
      cert: pem(`${name}.pem`),
      key: pem(`${name}.key`),
    });
    return new FakeApiServer(listener, handler);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  get url(): URL {
    return new URL(`https://127.0.0.1:${this.port}`);
  }

  get questions(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`);
  }

  /** Ends all connections that are open. */
  cut(): void {
    for (const conn of this.#conns) closed(conn);
    this.#conns.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#running;
  }

  async #accept(): Promise<void> {
    const serving: Promise<void>[] = [];
    for (;;) {
      try {
        const conn = await this.#listener.accept();
        this.connections++;
        this.#conns.add(conn);
        serving.push(
          this.#serve(conn).catch(() => {}).finally(() => {
            this.#conns.delete(conn);
            closed(conn);
          }),
        );
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) break;
        // A handshake that failed.
        if (error instanceof Deno.errors.Interrupted) break;
      }
    }
    await Promise.all(serving);
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    for (;;) {
      const request = await readRequest(conn);
      if (request === undefined) return;
      if (request === malformed) {
        return await send(conn, "HTTP/1.0 400 X\r\n\r\n");
      }
      this.asked.push(request);
      const answer = await this.#handler(request);
      const { status = 200, headers = {}, body, pieces, takeOver } = answer;
      const text = body === undefined
        ? ""
        : typeof body === "string"
        ? body
        : JSON.stringify(body);
      const length: Record<string, string> = pieces
        ? { "transfer-encoding": "chunked" }
        : takeOver
        ? {}
        : { "content-length": String(new TextEncoder().encode(text).length) };
      const lines = Object.entries({ ...length, ...headers })
        .map(([name, value]) => `${name}: ${value}\r\n`).join("");
      await send(conn, `HTTP/1.1 ${status} X\r\n${lines}\r\n${text}`);
      for await (const piece of pieces ?? []) {
        const size = new TextEncoder().encode(piece).length.toString(16);
        await send(conn, `${size}\r\n${piece}\r\n`);
      }
      if (pieces) await send(conn, "0\r\n\r\n");
      if (takeOver) return await takeOver(conn);
    }
  }
}

const malformed: FakeRequest = {
  method: "",
  path: "",
  query: new URLSearchParams(),
  headers: new Headers(),
  body: "",
};

async function readRequest(conn: Deno.Conn): Promise<FakeRequest | undefined> {
  let text = "";
  const buffer = new Uint8Array(4096);
  const more = async () => {
    const count = await conn.read(buffer);
    if (count === null) return false;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    return true;
  };
  while (!text.includes("\r\n\r\n")) {
    // A client that shakes hands for TLS where there is none (RFC 8446 section 5.1).
    if (text.startsWith("\x16")) return malformed;
    if (!await more()) return undefined;
  }
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const [method = "", target = ""] = first.split(" ");
  const headers = new Headers(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
  const length = Number(headers.get("content-length") ?? 0);
  while (text.length < end + 4 + length) if (!await more()) return undefined;
  const { pathname, searchParams } = new URL(target, "http://x");
  const body = text.slice(end + 4);
  return { method, path: pathname, query: searchParams, headers, body };
}

/** Writes all of the text or bytes. */
export async function send(
  conn: Deno.Conn,
  what: string | Uint8Array,
): Promise<void> {
  const bytes = typeof what === "string"
    ? new TextEncoder().encode(what)
    : what;
  for (let done = 0; done < bytes.length;) {
    done += await conn.write(bytes.subarray(done));
  }
}

function closed(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was.
  }
}

/** The `Status` that an API server says no with. */
export function status(
  code: number,
  reason: string,
  message: string,
): FakeAnswer {
  const body = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    reason,
    message,
  };
  return {
    status: code,
    headers: { "content-type": "application/json" },
    body,
  };
}
