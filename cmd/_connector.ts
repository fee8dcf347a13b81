import { dirname } from "node:path";
import { selfCommand } from "../build.ts";
import type { ConnectorStatus } from "../connector/api.ts";
import {
  ConnectorAbsentError,
  ConnectorClient,
  connectorLogPath,
  connectorPidPath,
  killStoppedConnector,
  removeStaleSocket,
  stoppedConnector,
} from "../connector/client.ts";
import { processState } from "../process/mod.ts";
import { CommandError } from "./_error.ts";
import { failureError } from "./_failure.ts";
import { readFailure } from "./_start_report.ts";
import {
  type Meaning,
  meantConnection,
  type UserStatus,
} from "./_meant_connection.ts";

const startTimeoutMs = 15_000;
const endTimeoutMs = 30_000;
const pollMs = 10;

/** A connector that answered. Dispose of it to free its connection. */
export interface RunningConnector extends Disposable {
  readonly client: ConnectorClient;
  /** What it told when it was found. */
  readonly told: ConnectorStatus;
  readonly pid: number;
  readonly status: UserStatus["status"];
  /** Those that stand, in order of age. */
  readonly connections: readonly UserStatus[];
  /** Names of those that are being made. */
  readonly connecting: readonly string[];
}

/**
 * The connector of this user, or `undefined` when none runs.
 *
 * @param onEnded A connector that a signal has stopped is ended, and told here.
 * @throws {CommandError} when it does not answer; so it does when it is stopped and `onEnded` is absent.
 */
export async function findConnector(
  onEnded?: (text: string) => void,
): Promise<RunningConnector | undefined> {
  const client = new ConnectorClient();
  try {
    const told = await client.connectorStatus();
    const { connections, connecting, idle: { user_daemon: idle } } = told;
    return {
      ...{ client, told, pid: idle.pid, connecting },
      status: connections[0]?.user_daemon.status ?? idle.status,
      connections: connections.map(({ user_daemon }) => user_daemon),
      [Symbol.dispose]: () => client[Symbol.dispose](),
    };
  } catch (error) {
    client[Symbol.dispose]();
    if (!(error instanceof ConnectorAbsentError)) throw error;
    if (!error.isStuck) return undefined;
    const stopped = await stoppedConnector();
    if (stopped !== undefined) {
      if (onEnded === undefined) throw stoppedError(stopped, error);
      await killStoppedConnector(stopped);
      await removeStaleSocket();
      onEnded(`Ended the connector (process ${stopped}): it was stopped`);
      return undefined;
    }
    throw new CommandError(
      error.message,
      `It hangs: \`kill -KILL $(cat ${connectorPidPath()})\` ends it, and the network is as before`,
      { cause: error },
    );
  }
}

/**
 * The connector of this user, whose client asks the connection that is meant.
 *
 * @throws {CommandError} when there is none, or it is not clear which is meant.
 */
export async function connectedConnector(
  meaning: Meaning,
): Promise<RunningConnector> {
  return await findConnection(meaning) ?? notConnected(meaning);
}

/** As {@link connectedConnector}; `undefined` when there is none. */
export async function findConnection(
  meaning: Meaning,
  onEnded?: (text: string) => void,
): Promise<RunningConnector | undefined> {
  const running = await findConnector(onEnded);
  using unused = new DisposableStack();
  if (running === undefined || !mean(unused.use(running), meaning)) {
    return undefined;
  }
  unused.move();
  return running;
}

/**
 * Has the client of `running` ask the connection that is meant.
 *
 * @returns whether there is one.
 * @throws {CommandError} when it is not clear which.
 */
export function mean(
  { client, connections }: Pick<RunningConnector, "client" | "connections">,
  meaning: Meaning,
): boolean {
  if (connections.length === 0) return false;
  const name = meantConnection(connections, meaning);
  if (name !== undefined) client.connection = name;
  return name !== undefined;
}

/** @throws {CommandError} */
export function notConnected({ action }: Pick<Meaning, "action">): never {
  throw failureError({
    kind: "not-connected",
    cause: `Cannot ${action}: this laptop is not connected`,
  });
}

function stoppedError(pid: number, cause: ConnectorAbsentError): CommandError {
  return new CommandError(
    `Cannot ask the connector (process ${pid}): a signal has stopped it`,
    `\`kill -CONT ${pid}\` lets it and its connections go on, \`tp quit\` ends it`,
    { cause },
  );
}

/**
 * The connector of this user, started if none runs.
 *
 * @param onEnded As of {@link findConnector}.
 */
export async function openConnector(
  onEnded: (text: string) => void,
): Promise<RunningConnector> {
  const running = await findConnector(onEnded);
  if (running && running.status !== "Quitting") return running;
  if (running) await untilEnded(running);
  const start = await startConnector();
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline && !start.hasEnded()) {
    const started = await findConnector(onEnded);
    if (started) return started;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const failure = start.hasEnded() && readFailure(await start.output());
  if (failure) throw failureError(failure);
  throw new CommandError(
    "Cannot start the connector: it ended or does not answer",
    `Its log tells more: ${connectorLogPath()}`,
  );
}

/**
 * Resolves when the connector's process is gone, after a bounded time at the latest.
 *
 * @returns whether it is
 */
export async function untilEnded(
  { pid }: Pick<RunningConnector, "pid">,
): Promise<boolean> {
  const deadline = performance.now() + endTimeoutMs;
  while (performance.now() < deadline) {
    if (await processState(pid) === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return false;
}

interface Start {
  hasEnded(): boolean;
  /** What it wrote; to be asked when it has ended. */
  output(): Promise<string>;
}

/** Starts it in a session of its own, so that it outlives this terminal. Without room for a log it runs without. */
async function startConnector(): Promise<Start> {
  const log = connectorLogPath();
  await Deno.mkdir(dirname(log), { recursive: true, mode: 0o700 })
    .catch(() => {});
  const child = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      'umask 077; (true >>"$0") 2>/dev/null && log=$0; exec "$@" 2>>"${log:-/dev/null}"',
      log,
      ...selfCommand(["connector-foreground"]),
    ],
    cwd: "/",
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  child.unref();
  return {
    hasEnded: () => hasEnded,
    output: () => new Response(child.stdout).text(),
  };
}
