/**
 * The user's process: holds the connection and answers `tp` commands.
 *
 * 1. It listens on a Unix socket in a directory that only its user can enter.
 * 2. `connect` builds the one connection; its progress goes back line by line.
 * 3. It ends when the connection has ended, failed to come about, or was quit.
 */
export { install, type InstallRequest, manifestsText } from "./install.ts";
export { ConnectError } from "./failure.ts";
import { logger } from "../log.ts";
import type { ConnectEvent, ConnectRequest, Status } from "./api.ts";
import { connect, type Connection } from "./connection.ts";
import { toFailure } from "./errors.ts";
import {
  connectorSocketPath,
  makePrivateDirectory,
  runtimeDirectory,
} from "./paths.ts";
import { removeStaleSocket } from "./stale_socket.ts";
import { idleStatus } from "./status.ts";

const log = logger("connector");

/** How long a connector without a connection waits for its first request. */
const lonelyMs = 30_000;

/** Runs until there is nothing left to hold, or `signal` aborts. */
export async function runConnector(
  options: { signal: AbortSignal },
): Promise<void> {
  const path = connectorSocketPath();
  if (!await removeStaleSocket()) {
    throw new Error(`Cannot listen on "${path}": a connector runs already`);
  }
  await makePrivateDirectory(runtimeDirectory());
  const connector = new Connector();
  const umask = Deno.umask(0o177);
  const server = Deno.serve(
    { path, onListen: () => {} },
    (request) => connector.answer(request),
  );
  Deno.umask(umask);
  options.signal.addEventListener("abort", () => connector.end());
  await connector.ended;
  await server.shutdown();
  await Deno.remove(runtimeDirectory()).catch(() => {});
}

class Connector {
  #connection: Promise<Connection> | undefined;
  #connected: Connection | undefined;
  readonly #ending = Promise.withResolvers<void>();
  readonly #abort = new AbortController();
  #lonely = setTimeout(() => this.end(), lonelyMs);

  /** Resolves when the connection, if there was one, is undone. */
  get ended(): Promise<void> {
    return this.#ending.promise;
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const call = `${request.method} ${pathname}`;
    if (call === "GET /status") return Response.json(this.#status());
    if (call === "POST /connect") {
      return new Response(this.#connect(await request.json()));
    }
    if (call === "POST /quit") {
      await this.#disconnect();
      queueMicrotask(() => this.end());
      return Response.json({});
    }
    return new Response(null, { status: 404 });
  }

  /** Disconnects and lets {@link Connector.ended} resolve. */
  end(): void {
    clearTimeout(this.#lonely);
    this.#disconnect().finally(() => this.#ending.resolve());
  }

  #status(): Status {
    return this.#connected?.status() ??
      idleStatus(this.#connection ? "Connecting" : "Not connected");
  }

  async #disconnect(): Promise<void> {
    this.#abort.abort();
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  /** A command that goes away while it waits calls the connecting off. */
  #connect(request: ConnectRequest): ReadableStream<Uint8Array> {
    clearTimeout(this.#lonely);
    const encoder = new TextEncoder();
    let listening = true;
    return new ReadableStream({
      start: async (controller) => {
        const tell = (event: ConnectEvent) => {
          if (!listening) return;
          controller.enqueue(encoder.encode(JSON.stringify(event) + "\n"));
        };
        await this.#connectOnce(request, tell).catch((error) => {
          log.error("connect failed", { error });
          tell({ event: "failed", failure: toFailure(error) });
        });
        if (listening) controller.close();
        if (this.#connected === undefined) this.end();
      },
      cancel: () => {
        listening = false;
        if (this.#connected === undefined) this.#abort.abort();
      },
    });
  }

  /** The first request makes the connection; later ones are told that it is there, or that it is another. */
  async #connectOnce(
    request: ConnectRequest,
    tell: (event: ConnectEvent) => void,
  ): Promise<void> {
    const already = this.#connection !== undefined;
    this.#connection ??= connect(request, {
      signal: this.#abort.signal,
      tell,
    });
    const connection = await this.#connection;
    if (already) await connection.mustServe(request);
    else connection.ended.then(() => this.end());
    this.#connected = connection;
    tell({ event: "connected", already, status: connection.status() });
  }
}
