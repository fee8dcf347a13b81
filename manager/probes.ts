/**
 * Tells the kubelet whether the manager lives and is ready. Answers two paths and nothing else; of a request only the
 * first line is read.
 */
import { type Clock, writeAll } from "../net/mod.ts";
import { acceptLoop } from "./accept_loop.ts";

/** What a request may take, in time and octets. */
const requestMs = 2_000;
const maxLineOctets = 256;

export interface ProbesOptions {
  listener: Deno.TcpListener;
  /** Whether the manager can serve. */
  isReady: () => boolean;
  clock: Clock;
}

export class Probes implements AsyncDisposable {
  readonly #options: ProbesOptions;
  readonly #accepting: Promise<void>;
  readonly #answering = new Set<Promise<void>>();

  /** Starts to answer. */
  constructor(options: ProbesOptions) {
    this.#options = options;
    this.#accepting = acceptLoop(options.listener, {
      take: (conn) => this.#take(conn),
      clock: options.clock,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.listener.close();
    await this.#accepting;
    await Promise.all(this.#answering);
  }

  #take(conn: Deno.TcpConn): void {
    const answering = this.#answer(conn).finally(() =>
      this.#answering.delete(answering)
    );
    this.#answering.add(answering);
  }

  /** Never rejects. */
  async #answer(conn: Deno.TcpConn): Promise<void> {
    let isOpen = true;
    const close = () => {
      if (isOpen) conn.close();
      isOpen = false;
    };
    const callOff = this.#options.clock.after(requestMs, close);
    try {
      const status = this.#statusFor(await readLine(conn));
      const head = `HTTP/1.1 ${status}\r\ncontent-length: 0\r\n`;
      const bytes = new TextEncoder().encode(
        `${head}connection: close\r\n\r\n`,
      );
      await writeAll(conn, bytes);
      await conn.closeWrite();
    } catch {
      // Who hangs up wants no answer.
    } finally {
      callOff();
      close();
    }
  }

  #statusFor(line: string): string {
    const [method, path] = line.split(" ");
    if (method !== "GET") return "405 Method Not Allowed";
    if (path === "/livez") return "200 OK";
    if (path !== "/readyz") return "404 Not Found";
    return this.#options.isReady() ? "200 OK" : "503 Service Unavailable";
  }
}

/** The first line of a request, or what came of it. */
async function readLine(conn: Deno.TcpConn): Promise<string> {
  const bytes = new Uint8Array(maxLineOctets);
  let length = 0;
  while (length < bytes.length) {
    const read = await conn.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
    if (bytes.subarray(0, length).includes(0x0a)) break;
  }
  const text = new TextDecoder().decode(bytes.subarray(0, length));
  return text.split("\r\n", 1)[0]!;
}
