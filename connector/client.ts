/** What `tp` commands say to the connector: HTTP over its Unix socket. */
import type { ConnectEvent, ConnectRequest, Status } from "./api.ts";
import { connectorSocketPath } from "./paths.ts";
export { connectorLogPath } from "./paths.ts";
export { removeStaleSocket } from "./stale_socket.ts";

/** The connector of this user. Dispose of it to free the connection. */
export class ConnectorClient implements Disposable {
  readonly #client = Deno.createHttpClient({
    proxy: { transport: "unix", path: connectorSocketPath() },
  });

  /** @throws {ConnectorAbsentError} when no connector runs. */
  async status(): Promise<Status> {
    const response = await this.#fetch("GET", "/status");
    return await response.json();
  }

  /** Connects, telling what happens. Leaving the iteration early calls the connecting off. */
  async *connect(request: ConnectRequest): AsyncGenerator<ConnectEvent> {
    const response = await this.#fetch("POST", "/connect", request);
    yield* jsonLines<ConnectEvent>(response.body!);
  }

  /** Disconnects; resolves when the host is as it was. The connector ends after it. */
  async quit(): Promise<void> {
    const response = await this.#fetch("POST", "/quit");
    await response.text();
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #fetch(method: string, path: string, body?: unknown) {
    try {
      return await fetch(`http://connector${path}`, {
        method,
        client: this.#client,
        ...body === undefined ? {} : { body: JSON.stringify(body) },
      });
    } catch (error) {
      throw new ConnectorAbsentError("Cannot reach the connector", {
        cause: error,
      });
    }
  }
}

/** No connector of this user runs, or it ended while it was asked. */
export class ConnectorAbsentError extends Error {
  override readonly name = "ConnectorAbsentError";
}

async function* jsonLines<T>(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<T> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
