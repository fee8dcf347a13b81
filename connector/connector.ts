import { logger } from "../log.ts";
import {
  type ConnectEvent,
  type ConnectorStatus,
  type ConnectRequest,
  type Failure,
  imageUnusedText,
  type LeaveRequest,
  type LogLevelRequest,
} from "./api.ts";
import { accessOf } from "./approach.ts";
import { type CalledOffBy, CalledOffError } from "./called_off.ts";
import { connect, type Connection } from "./connection.ts";
import { parseConnectionName, usualConnectionName } from "./connection_name.ts";
import { toFailure } from "./errors.ts";
import { ConnectError } from "./failure.ts";
import { Hosts } from "./hosts.ts";
import { LaptopPorts } from "./intercepts/laptop_ports.ts";
import {
  connectionNamed,
  connectionUnknown,
  connectionWith,
} from "./meant_connection.ts";
import { jsonLines } from "./process/json_lines.ts";
import { setLogLevels } from "./process/log_level.ts";
import { idleStatus } from "./status.ts";

const log = logger("connector");

/** How long a connector without a connection waits for its first request. */
const lonelyMs = 10_000;
const maxConnections = 8;

/** A connection that stands, or is being made. */
interface Entry {
  readonly name: string;
  readonly making: Promise<Connection>;
  /** Aborts when it is to end. */
  readonly abort: AbortController;
  /** Resolves when its name is free. */
  readonly gone: PromiseWithResolvers<void>;
  connected?: Connection;
}

/** Holds the connections of its user and answers `tp` commands. */
export class Connector {
  /** By name, in order of age. */
  readonly #entries = new Map<string, Entry>();
  readonly #hosts = new Hosts();
  readonly #ports = new LaptopPorts();
  readonly #sessions = new Set<string>();
  readonly #make: typeof connect;
  /** Requests are given their connection one after the other. */
  #naming: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly #lonely = setTimeout(() => this.end("loss"), lonelyMs);

  constructor(make: typeof connect = connect) {
    this.#make = make;
  }

  /** Resolves when all connections are undone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const name = searchParams.get("connection") ?? undefined;
    const call = `${request.method} ${pathname}`;
    if (call === "GET /status") return Response.json(this.#status());
    if (call === "POST /connect") {
      if (this.#isEnding) return new Response(null, { status: 503 });
      return this.#connect(await request.json());
    }
    if (call === "POST /quit") return await this.#quit(name);
    if (call === "POST /loglevel") {
      const asked: LogLevelRequest = await request.json();
      const found = asked.cluster
        ? connectionNamed(this.#standing, name)
        : undefined;
      if (found && "kind" in found && found.kind !== "not-connected") {
        return refused(found);
      }
      const manager = found && "manager" in found ? found.manager : undefined;
      return Response.json(await setLogLevels(asked, manager));
    }
    if (call === "POST /leave") return this.#leave(await request.json(), name);
    const found = connectionNamed(this.#standing, name);
    if ("kind" in found) return refused(found);
    return await found.answer(request) ?? new Response(null, { status: 404 });
  }

  /** Disconnects and lets {@link Connector.ended} resolve. */
  end(by: CalledOffBy): void {
    this.#disconnect(by)
      .catch((error) => log.error("not all was undone", { error }))
      .finally(() => this.#ended.resolve());
  }

  #status(): ConnectorStatus {
    return {
      connections: this.#standing.map((one) => one.status()),
      connecting: this.#isEnding ? [] : [...this.#entries.values()]
        .filter(({ connected }) => connected === undefined)
        .map(({ name }) => name),
      idle: idleStatus(
        this.#isEnding
          ? "Quitting"
          : this.#entries.size > 0
          ? "Connecting"
          : "Not connected",
      ),
    };
  }

  /** In order of age; none while the connector ends. */
  get #standing(): Connection[] {
    if (this.#isEnding) return [];
    return [...this.#entries.values()].flatMap(({ connected }) =>
      connected ?? []
    );
  }

  async #leave(
    leave: LeaveRequest,
    name: string | undefined,
  ): Promise<Response> {
    const all = this.#standing;
    const found = name === undefined
      ? connectionWith(all, leave)
      : connectionNamed(all, name);
    return "kind" in found ? refused(found) : await found.leave(leave);
  }

  async #quit(name: string | undefined): Promise<Response> {
    if (name !== undefined) {
      // One that is being made, too.
      const entry = this.#entries.get(name);
      if (entry === undefined) {
        return refused(connectionUnknown(this.#standing, name));
      }
      await this.#drop(entry, "quit");
    } else await this.#disconnect("quit");
    queueMicrotask(() => this.#endIfEmpty("quit"));
    return Response.json({});
  }

  async #disconnect(by: CalledOffBy): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#lonely);
    await Promise.all(
      [...this.#entries.values()].map((entry) => this.#drop(entry, by)),
    );
  }

  async #drop(entry: Entry, by: CalledOffBy): Promise<void> {
    entry.abort.abort(new CalledOffError(by));
    const connection = await entry.making.catch(() => undefined);
    await connection?.close();
    this.#forget(entry);
  }

  #forget(entry: Entry): void {
    if (this.#entries.get(entry.name) === entry) {
      this.#entries.delete(entry.name);
    }
    entry.gone.resolve();
  }

  #endIfEmpty(by: CalledOffBy): void {
    if (this.#entries.size === 0) this.end(by);
  }

  /** What happens, a line of JSON each. A command that goes away while it waits for what it asked for calls it off. */
  #connect(request: ConnectRequest): Response {
    clearTimeout(this.#lonely);
    return jsonLines<ConnectEvent>(async (tell, gone) => {
      await this.#connectOnce(request, { tell, gone }).catch((error) => {
        log.error("connect failed", { error });
        const stands = this.#standing.length > 0;
        tell({ event: "failed", failure: toFailure(error), stands });
      });
      // What was told is on its way before the process ends.
      queueMicrotask(() => this.#endIfEmpty("loss"));
    });
  }

  /** The first request of a name makes the connection; later ones are told that it is there, or that it is another. */
  async #connectOnce(
    request: ConnectRequest,
    { tell, gone }: {
      tell: (event: ConnectEvent) => void;
      gone: AbortSignal;
    },
  ): Promise<void> {
    const finding = this.#naming.then(() => this.#entryFor(request, tell));
    this.#naming = finding.catch(() => {});
    const { entry, already } = await finding;
    const onGone = () => already || this.#callOff(entry);
    gone.addEventListener("abort", onGone);
    if (gone.aborted) onGone();
    const connection = await entry.making;
    if (already) {
      await connection.mustServe(request);
      if (request.isImageGiven) {
        tell({ event: "progress", text: imageUnusedText });
      }
    }
    tell({ event: "connected", already, status: connection.status() });
  }

  /** The connector ends with who was the only one to need it. */
  #callOff(entry: Entry): void {
    if (entry.connected !== undefined) return;
    const others = [...this.#entries.values()].filter((one) => one !== entry);
    if (others.length === 0) this.end("loss");
    else entry.abort.abort(new CalledOffError("loss"));
  }

  async #entryFor(
    request: ConnectRequest,
    tell: (event: ConnectEvent) => void,
  ): Promise<{ entry: Entry; already: boolean }> {
    const name = await this.#nameFor(request);
    const known = this.#entries.get(name);
    if (known?.abort.signal.aborted) await known.gone.promise;
    else if (known !== undefined) return { entry: known, already: true };
    if (this.#isEnding) throw new CalledOffError("signal");
    if (this.#entries.size >= maxConnections) {
      throw new ConnectError({
        kind: "connections-full",
        cause: `Cannot connect as "${name}": ` +
          `this laptop has ${maxConnections} connections`,
      });
    }
    const abort = new AbortController();
    const making = this.#make(request, {
      ...{ signal: abort.signal, tell, name },
      ...{ hosts: this.#hosts, ports: this.#ports },
      sessions: this.#sessions,
    });
    const gone = Promise.withResolvers<void>();
    const entry: Entry = { name, making, abort, gone };
    this.#entries.set(name, entry);
    making.then((connection) => {
      entry.connected = connection;
      // With the last that leaves, the host's network ends, too.
      connection.ended.then(() => abort.signal.aborted || this.end("loss"));
    }, () => this.#forget(entry));
    return { entry, already: false };
  }

  /** @throws {ConnectError} */
  async #nameFor(request: ConnectRequest): Promise<string> {
    if (request.name !== undefined) return parseConnectionName(request.name);
    const all = [...this.#entries.values()]
      .filter(({ abort }) => !abort.signal.aborted);
    const [first, ...others] = all;
    if (first === undefined) {
      return usualConnectionName(await accessOf(request));
    }
    for (const { name, making } of others.length > 0 ? all : []) {
      const serves = await making.then((one) => one.mustServe(request))
        .then(() => true, () => false);
      if (serves) return name;
    }
    return first.name;
  }
}

function refused(failure: Failure): Response {
  return Response.json(failure, { status: 409 });
}
