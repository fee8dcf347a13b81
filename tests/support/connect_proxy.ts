/**
 * `connect_proxy.ts`: an HTTP proxy on the loopback address that knows CONNECT (RFC 9110 section 9.3.6) and nothing else.
 * It says its port, then whom it was asked for, a line each. What it reads on standard input:
 *
 * - `end`: it ends all connections, in both directions, as one that is being restarted.
 * - `age MS`: connections are ended so when they become that old; those that are open count from here on. For each that is,
 *   it says `aged` and how many bytes it has carried from here on.
 */
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const tunnels = new Set<Tunnel>();
let maxAgeMs: number | undefined;

async function serve(client: Deno.TcpConn): Promise<void> {
  using _client = client;
  const head = await readHead(client);
  const [, authority = "", host = "", port] =
    /^CONNECT (\[?([^\]\s]+?)\]?:(\d+)) HTTP/.exec(head) ?? [];
  say(authority);
  using server = await Deno.connect({ hostname: host, port: Number(port) });
  const answer = "HTTP/1.1 200 Connection established\r\n\r\n";
  await writeAll(client, new TextEncoder().encode(answer));
  await new Tunnel(client, server).relay();
}

/** Two connections that are one to their ends. */
class Tunnel {
  readonly #client: Deno.TcpConn;
  readonly #server: Deno.TcpConn;
  #isEnded = false;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Deno.TcpConn, server: Deno.TcpConn) {
    this.#client = client;
    this.#server = server;
    this.ageFromHere();
  }

  /** Resolves when both directions have ended. */
  async relay(): Promise<void> {
    tunnels.add(this);
    await Promise.allSettled([
      this.#carry(this.#client, this.#server),
      this.#carry(this.#server, this.#client),
    ]);
    tunnels.delete(this);
    clearTimeout(this.#timer);
  }

  /** Sends a FIN to both ends, and takes nothing of theirs any more: closing at once would be a reset. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const conn of [this.#client, this.#server]) {
      conn.closeWrite().catch(() => {});
    }
  }

  ageFromHere(): void {
    clearTimeout(this.#timer);
    if (maxAgeMs === undefined) return;
    this.#bytes = 0;
    this.#timer = setTimeout(() => {
      say(`aged ${this.#bytes}`);
      this.end();
    }, maxAgeMs);
  }

  async #carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(256 * 1024);
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      this.#bytes += count;
      if (!this.#isEnded) {
        await writeAll(to, buffer.subarray(0, count)).catch(() => this.end());
      }
    }
    if (!this.#isEnded) await to.closeWrite();
  }
}

async function obey(): Promise<void> {
  const buffer = new Uint8Array(256);
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return;
    const text = new TextDecoder().decode(buffer.subarray(0, count));
    for (const line of text.trim().split("\n")) {
      const [word, number] = line.split(" ");
      if (word === "age") maxAgeMs = Number(number);
      for (const tunnel of tunnels) {
        if (word === "end") tunnel.end();
        else tunnel.ageFromHere();
      }
    }
  }
}

/** The head comes in one piece or several; nothing follows it before the answer. */
async function readHead(client: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(1024);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const count = await client.read(buffer);
    if (count === null) break;
    head += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return head;
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await conn.write(bytes.subarray(done));
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- who started this reads it
  console.log(line);
}

say(String(listener.addr.port));
obey();
for await (const client of listener) serve(client).catch(() => {});
