import { logger } from "../log.ts";
import {
  type ConnectEvent,
  type ConnectRequest,
  type Failure,
  imageUnusedText,
  type LogLevelRequest,
  type Status,
} from "./api.ts";
import { type CalledOffBy, CalledOffError } from "./called_off.ts";
import { connect, type Connection } from "./connection.ts";
import { toFailure } from "./errors.ts";
import { jsonLines } from "./json_lines.ts";
import { setLogLevels } from "./log_level.ts";
import { idleStatus } from "./status.ts";

const log = logger("connector");

/** How long a connector without a connection waits for its first request. */
const lonelyMs = 10_000;

/** Holds the one connection of its user and answers `tp` commands. */
export class Connector {
  #connection: Promise<Connection> | undefined;
  #connected: Connection | undefined;
  #isEnding = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly #abort = new AbortController();
  readonly #lonely = setTimeout(() => this.end("loss"), lonelyMs);

  /** Resolves when the connection, if there was one, is undone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const call = `${request.method} ${pathname}`;
    if (call === "GET /status") return Response.json(this.#status());
    if (call === "POST /loglevel") {
      const asked: LogLevelRequest = await request.json();
      const manager = this.#isEnding ? undefined : this.#connected?.manager;
      return Response.json(await setLogLevels(asked, manager));
    }
    if (call === "POST /connect") {
      if (this.#isEnding) return new Response(null, { status: 503 });
      return this.#connect(await request.json());
    }
    if (call === "POST /quit") {
      await this.#disconnect("quit");
      queueMicrotask(() => this.end("quit"));
      return Response.json({});
    }
    const connection = this.#isEnding ? undefined : this.#connected;
    if (connection === undefined) return notConnected();
    return await connection.answer(request) ??
      new Response(null, { status: 404 });
  }

  /** Disconnects and lets {@link Connector.ended} resolve. */
  end(by: CalledOffBy): void {
    this.#disconnect(by)
      .catch((error) => log.error("not all was undone", { error }))
      .finally(() => this.#ended.resolve());
  }

  #status(): Status {
    if (this.#isEnding) return idleStatus("Quitting");
    return this.#connected?.status() ??
      idleStatus(this.#connection ? "Connecting" : "Not connected");
  }

  async #disconnect(by: CalledOffBy): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#lonely);
    this.#abort.abort(new CalledOffError(by));
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  /** What happens, a line of JSON each. A command that goes away while it waits calls the connecting off. */
  #connect(request: ConnectRequest): Response {
    clearTimeout(this.#lonely);
    return jsonLines<ConnectEvent>(async (tell, gone) => {
      gone.addEventListener("abort", () => this.#endUnlessConnected());
      await this.#connectOnce(request, tell).catch((error) => {
        log.error("connect failed", { error });
        const stands = this.#connected !== undefined && !this.#isEnding;
        tell({ event: "failed", failure: toFailure(error), stands });
      });
      // What was told is on its way before the process ends.
      queueMicrotask(() => this.#endUnlessConnected());
    });
  }

  #endUnlessConnected(): void {
    if (this.#connected === undefined) this.end("loss");
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
    if (already) {
      await connection.mustServe(request);
      if (request.isImageGiven) {
        tell({ event: "progress", text: imageUnusedText });
      }
    } else connection.ended.then(() => this.end("loss"));
    this.#connected = connection;
    tell({ event: "connected", already, status: connection.status() });
  }
}

function notConnected(): Response {
  const cause = "Cannot do that: there is no connection";
  const failure: Failure = { kind: "not-connected", cause };
  return Response.json(failure, { status: 409 });
}
