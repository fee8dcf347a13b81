import { pem, send } from "./_api_server_fake.ts";

/** A proxy for tests: HTTP CONNECT or SOCKS5, whatever comes; with TLS when `name` says whose certificate it shows. */
export class FakeProxy implements AsyncDisposable {
  /** What it was asked for: `host:port`, and the login before it: `user:password@host:port`. */
  readonly asked: string[] = [];
  readonly #listener: Deno.Listener;
  readonly #answer: string | undefined;
  readonly #conns: Deno.Conn[] = [];
  readonly #running: Promise<void>;

  private constructor(listener: Deno.Listener, answer?: string) {
    this.#listener = listener;
    this.#answer = answer;
    this.#running = this.#accept();
  }

  /** @param options.answer The status line in place of 200, which ends the matter. */
  static start(
    { name, answer }: { name?: string; answer?: string } = {},
  ): FakeProxy {
    const at = { hostname: "127.0.0.1", port: 0 };
    const listener = name === undefined ? Deno.listen(at) : Deno.listenTls({
      ...at,
      cert: pem(`${name}.pem`),
      key: pem(`${name}.key`),
    });
    return new FakeProxy(listener, answer);
  }

  /** `127.0.0.1:port`. */
  get host(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await this.#running;
  }

  async #accept(): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      for (;;) {
        const conn = await this.#listener.accept();
        this.#conns.push(conn);
        serving.push(
          this.#serve(conn).catch(() => {}).finally(() => {
            close(conn);
          }),
        );
      }
    } catch {
      await Promise.all(serving);
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(1024);
    const read = async () => buffer.slice(0, await conn.read(buffer) ?? 0);
    const first = await read();
    const target = first[0] === 5
      ? await this.#socks(conn, { first, read })
      : await this.#http(conn, new TextDecoder().decode(first));
    if (target === undefined) return;
    const server = await Deno.connect(target);
    this.#conns.push(server);
    await Promise.all([
      server.readable.pipeTo(conn.writable),
      conn.readable.pipeTo(server.writable),
    ]);
  }

  async #http(conn: Deno.Conn, head: string) {
    const [, authority = ""] = /^CONNECT (\S+) /.exec(head) ?? [];
    const [, basic] = /^Proxy-Authorization: Basic (.*)\r$/im.exec(head) ?? [];
    this.asked.push(`${basic ? `${atob(basic)}@` : ""}${authority}`);
    await send(conn, `HTTP/1.1 ${this.#answer ?? "200 OK"}\r\n\r\n`);
    if (this.#answer !== undefined) return undefined;
    return { hostname: "127.0.0.1", port: Number(authority.split(":").at(-1)) };
  }

  async #socks(
    conn: Deno.Conn,
    { first, read }: { first: Uint8Array; read(): Promise<Uint8Array> },
  ) {
    const withLogin = first[2] === 2;
    await send(conn, new Uint8Array([5, first[2]!]));
    let login = "";
    if (withLogin) {
      const bytes = await read();
      const [, userLength] = bytes as unknown as [number, number];
      const text = (from: number, to?: number) =>
        new TextDecoder().decode(bytes.subarray(from, to));
      login = `${text(2, 2 + userLength)}:${text(3 + userLength)}@`;
      await send(conn, new Uint8Array([1, 0]));
    }
    const request = await read();
    const port = request.at(-2)! << 8 | request.at(-1)!;
    const host = request[3] === 3
      ? new TextDecoder().decode(request.subarray(5, -2))
      : request.subarray(4, -2).join(".");
    this.asked.push(`${login}${host}:${port}`);
    const reply = this.#answer === undefined ? 0 : Number(this.#answer);
    await send(conn, new Uint8Array([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
    return reply === 0 ? { hostname: "127.0.0.1", port } : undefined;
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was.
  }
}
