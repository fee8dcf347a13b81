/** What `tp` commands say to the connector: HTTP over its Unix socket. */
import type {
  ConnectEvent,
  ConnectorStatus,
  ConnectRequest,
  InterceptEvent,
  InterceptRequest,
  LeaveOutcome,
  LeaveRequest,
  LogLevelAnswer,
  LogLevelRequest,
  OwnIntercept,
  Status,
  WorkloadInfo,
} from "./api.ts";
import { ConnectError } from "./failure.ts";
import { connectorSocketPath } from "./process/paths.ts";
export {
  cacheDirectory,
  commandLogPath,
  connectorLogPath,
  connectorPidPath,
  logLimits,
} from "./process/paths.ts";

/** How long a connector may take to tell its state. */
const answerMs = 5_000;
export { ConnectError } from "./failure.ts";
export { removeStaleSocket } from "./process/stale_socket.ts";
export { removeStaleVolumes } from "./volumes/stale_volumes.ts";
export { killStoppedConnector, stoppedConnector } from "./process/stopped.ts";

/** The connector of this user. Dispose of it to free the connection to it. */
export class ConnectorClient implements Disposable {
  /** Name of the connection that is meant; absent: the only one, for {@link leave} the only one that has it, for {@link quit} all. */
  connection?: string;
  readonly #client = Deno.createHttpClient({
    proxy: { transport: "unix", path: connectorSocketPath() },
  });

  /** @throws {ConnectorAbsentError} when no connector runs, or it does not answer. */
  async connectorStatus(): Promise<ConnectorStatus> {
    const signal = AbortSignal.timeout(answerMs);
    const response = await this.#fetch("GET", "/status", { signal });
    return await response.json();
  }

  /**
   * As {@link connectorStatus}, of the connection that is meant: the first where none is named.
   *
   * @throws {ConnectError} `connection-unknown`
   */
  async status(): Promise<Status> {
    const { connections, idle } = await this.connectorStatus();
    const name = this.connection;
    if (name === undefined) return connections[0] ?? idle;
    const found = connections.find(({ user_daemon: user }) =>
      user.name === name
    );
    if (found !== undefined) return found;
    const cause = `Cannot find connection "${name}": it has ended`;
    throw new ConnectError({ kind: "connection-unknown", cause });
  }

  /** Connects, telling what happens. Leaving the iteration early, or aborting, calls the connecting off. */
  async *connect(
    request: ConnectRequest,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<ConnectEvent> {
    const body = JSON.stringify(request);
    const response = await this.#fetch("POST", "/connect", { body, signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw new ConnectorAbsentError("Cannot connect: the connector is ending");
    }
    yield* jsonLines<ConnectEvent>(response.body!);
  }

  /**
   * Intercepts, telling what happens. Leaving the iteration early, or aborting, calls it off; when it is held, it ends it.
   *
   * @throws {ConnectError} `not-connected`.
   */
  async *intercept(
    request: InterceptRequest,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<InterceptEvent> {
    const body = JSON.stringify(request);
    const response = await this.#fetch("POST", "/intercept", { body, signal });
    await mustBeOk(response);
    yield* jsonLines<InterceptEvent>(response.body!);
  }

  /**
   * Ends an intercept, or calls one off that is being made; resolves when this laptop has it no more.
   *
   * @throws {ConnectError} `intercept-unknown`, `not-connected`.
   */
  async leave(request: LeaveRequest): Promise<LeaveOutcome> {
    const body = JSON.stringify(request);
    const response = await this.#fetch("POST", "/leave", { body });
    await mustBeOk(response);
    return await response.json();
  }

  /**
   * The intercepts that this connection has, with what was asked for.
   *
   * @throws {ConnectError} `not-connected`.
   */
  async intercepts(): Promise<OwnIntercept[]> {
    const response = await this.#fetch("GET", "/intercepts");
    await mustBeOk(response);
    return await response.json();
  }

  /**
   * The workloads of a namespace; absent: the connection's.
   *
   * @throws {ConnectError}
   */
  async list(namespace: string | undefined): Promise<WorkloadInfo[]> {
    const response = await this.#fetch("GET", listPath({ namespace }));
    await mustBeOk(response);
    return await response.json();
  }

  /** As {@link ConnectorClient.list}, and again after each change, until the signal aborts. */
  async *follow(
    namespace: string | undefined,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<WorkloadInfo[]> {
    const path = listPath({ namespace, watch: "true" });
    const response = await this.#fetch("GET", path, { signal });
    await mustBeOk(response);
    yield* jsonLines<WorkloadInfo[]>(response.body!);
  }

  /** Sets levels of logs for a while, as far as it may. */
  async setLogLevels(request: LogLevelRequest): Promise<LogLevelAnswer> {
    const body = JSON.stringify(request);
    const response = await this.#fetch("POST", "/loglevel", { body });
    await mustBeOk(response);
    return await response.json();
  }

  /** Disconnects; resolves when that is undone. The connector ends after the last connection. */
  async quit(): Promise<void> {
    const response = await this.#fetch("POST", "/quit");
    await mustBeOk(response);
    await response.text();
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #fetch(method: string, path: string, init: RequestInit = {}) {
    const client = this.#client;
    try {
      // An address: a name would be looked up, although the socket is what is connected to.
      const url = new URL(path, "http://127.0.0.1");
      const { connection } = this;
      if (connection !== undefined) {
        url.searchParams.set("connection", connection);
      }
      return await fetch(url, {
        ...{ ...init, method, client },
      });
    } catch (cause) {
      const { name } = cause as Error;
      if (name === "AbortError") throw cause;
      const isStuck = name === "TimeoutError";
      const state = isStuck ? "it does not answer" : "it does not run";
      throw new ConnectorAbsentError(
        `Cannot reach the connector: ${state}`,
        { cause, isStuck },
      );
    }
  }
}

function listPath(asked: Record<string, string | undefined>): string {
  const given = Object.entries(asked).filter(([, value]) =>
    value !== undefined
  ) as [string, string][];
  return `/list?${new URLSearchParams(given)}`;
}

/** @throws {ConnectError} what the connector says instead of an answer. */
async function mustBeOk(response: Response): Promise<void> {
  if (response.ok) return;
  if (response.status === 409) throw new ConnectError(await response.json());
  await response.body?.cancel();
  throw new ConnectorAbsentError("Cannot ask the connector: it is ending");
}

/** No connector of this user runs, or it ended while it was asked. */
export class ConnectorAbsentError extends Error {
  override readonly name = "ConnectorAbsentError";
  /** It runs, yet answers nothing: a process that was stopped, or hangs. */
  readonly isStuck: boolean;

  constructor(
    message: string,
    { isStuck = false, ...options }: ErrorOptions & { isStuck?: boolean } = {},
  ) {
    super(message, options);
    this.isStuck = isStuck;
  }
}

async function* jsonLines<T>(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<T> {
  let rest = "";
  try {
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) yield JSON.parse(line);
    }
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ConnectorAbsentError("Cannot go on: the connector ended", {
      cause,
    });
  }
}
