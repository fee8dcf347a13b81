import type { ConnectRequest } from "./api.ts";
import type { Connection, ConnectOptions } from "./connection.ts";
import { ConnectError } from "./failure.ts";
import { idleStatus } from "./status.ts";

/** A connection from when it is asked for, which comes about and ends when a test says so. */
export class Making {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly sessions: ReadonlySet<string>;
  isClosed = false;
  /** Names of intercepts that it has. */
  readonly intercepts = new Set<string>();
  /** What its end waits for. */
  closing: Promise<void> = Promise.resolve();
  readonly #tell: ConnectOptions["tell"];
  readonly #request: ConnectRequest;
  readonly #made = Promise.withResolvers<Connection>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(
    request: ConnectRequest,
    { name, signal, sessions, tell }: ConnectOptions,
  ) {
    [this.name, this.signal, this.sessions] = [name, signal, sessions];
    this.#request = request;
    this.#tell = tell;
    signal.addEventListener("abort", () => this.#made.reject(signal.reason));
  }

  get promise(): Promise<Connection> {
    return this.#made.promise;
  }

  tell(text: string): void {
    this.#tell({ event: "progress", text });
  }

  fail(cause: string): void {
    this.#made.reject(new ConnectError({ kind: "api-unreachable", cause }));
  }

  /** Its device is gone. */
  end(): void {
    this.#ended.resolve();
  }

  /** It stands. */
  done(): void {
    const { user_daemon, ...others } = idleStatus("Connected");
    const { name } = this;
    const connection: Partial<Connection> = {
      name,
      ended: this.#ended.promise,
      status: () => ({ ...others, user_daemon: { ...user_daemon, name } }),
      mustServe: ({ context }) =>
        context === this.#request.context
          ? Promise.resolve()
          : Promise.reject(other),
      holds: ({ name }) => this.intercepts.has(name),
      leave: () => Promise.resolve(Response.json({ left: name })),
      answer: () => Promise.resolve(Response.json({ asked: name })),
      close: () => {
        this.isClosed = true;
        return this.closing;
      },
    };
    this.#made.resolve(connection as Connection);
  }
}

const other = new ConnectError({
  kind: "other-connection",
  cause: "Cannot connect: this laptop is connected to another",
});
