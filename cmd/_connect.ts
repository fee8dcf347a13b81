/**
 * Connecting, for every command that needs a connection.
 *
 * 1. The connector is started if this user has none.
 * 2. It is asked to connect and tells what happens; the daemon is started when it asks for it.
 * 3. What fails, or is interrupted, is told when all is undone.
 */
import type { ConnectRequest, Status } from "../connector/api.ts";
import { ConnectorAbsentError, connectorLogPath } from "../connector/client.ts";
import {
  findConnector,
  openConnector,
  type RunningConnector,
  untilEnded,
} from "./_connector.ts";
import { CommandError } from "./_error.ts";
import { failureError } from "./_failure.ts";
import { Interrupt } from "./_interrupt.ts";
import { launchDaemon } from "./_launch_daemon.ts";
import { printable } from "./_printable.ts";
import { repairIfNeeded } from "./_repair.ts";
import type { ConnectFlags, NameFlag } from "./_connect_flags.ts";
import { readSettings, settingsRequest } from "./_settings.ts";
import type { SubnetFlags } from "./_subnet_flags.ts";

/** A connection that stands. */
export interface Connected {
  connector: RunningConnector;
  /** It was there before. */
  already: boolean;
  status: Status;
}

/** Resolves when connected, or interrupted and undone. */
export async function connectInterruptibly(
  request: ConnectRequest,
  say: (line: string) => void,
): Promise<Connected | "interrupted"> {
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  try {
    await repairIfNeeded(say);
    const connector = await openConnector(say);
    const event = await follow(connector, { request, say, signal });
    const { name } = event.status.user_daemon;
    if (name !== undefined) connector.client.connection = name;
    return { connector, ...event };
  } catch (error) {
    if (!signal.aborted) throw error;
    await endUnlessConnected(say);
    return "interrupted";
  }
}

async function endUnlessConnected(
  say: (line: string) => void,
): Promise<void> {
  using left = await findConnector(say);
  if (left === undefined || left.status === "Connected") return;
  if (left.status === "Not connected") await left.client.quit();
  await untilEnded(left);
}

interface FollowOptions {
  request: ConnectRequest;
  say: (line: string) => void;
  signal: AbortSignal;
}

/** Resolves when connected. Rejects when that failed and the connector has undone all, or when `signal` aborts. */
async function follow(
  connector: RunningConnector,
  { request, say, signal }: FollowOptions,
): Promise<Pick<Connected, "already" | "status">> {
  try {
    for await (const event of connector.client.connect(request, { signal })) {
      if (event.event === "connected") return event;
      if (event.event === "progress") say(printable(event.text));
      if (event.event === "daemon-needed") await startDaemon(connector, say);
      if (event.event === "failed") {
        if (!event.stands) await untilEnded(connector);
        throw failureError(event.failure);
      }
    }
  } catch (error) {
    if (!(error instanceof ConnectorAbsentError)) throw error;
    await untilEnded(connector);
    throw endedError(error);
  }
  throw endedError();
}

/** When the daemon cannot be started, nobody needs to wait for it. */
async function startDaemon(
  connector: RunningConnector,
  say: (line: string) => void,
): Promise<void> {
  try {
    await launchDaemon(say);
  } catch (error) {
    await connector.client.quit().catch(() => {});
    await untilEnded(connector);
    throw error;
  }
}

/** @throws {CommandError} for settings that cannot be used. */
export async function requestOf(
  flags: Partial<ConnectFlags & SubnetFlags & NameFlag>,
): Promise<ConnectRequest> {
  const { context, namespace } = flags;
  const kubeconfig = flags.kubeconfig ?? Deno.env.get("KUBECONFIG");
  return {
    ...context === undefined ? {} : { context },
    ...kubeconfig ? { kubeconfig: absolute(kubeconfig) } : {},
    ...namespace === undefined ? {} : { namespace },
    ...settingsRequest(await readSettings(flags)),
    ...flags.image === undefined ? {} : { isImageGiven: true },
  };
}

function endedError(cause?: Error): CommandError {
  return new CommandError(
    "Cannot connect: the connector ended meanwhile",
    `Its log tells more: ${connectorLogPath()}`,
    { cause },
  );
}

export function connectedLine(
  { user_daemon: user }: Status,
  { already, isNamed = false }: { already: boolean; isNamed?: boolean },
): string {
  const verb = already ? "Already connected" : "Connected";
  const as = isNamed ? ` as ${user.name}` : "";
  return `${verb}${as} to context ${user.kubernetes_context} (${user.kubernetes_server})`;
}

/** The connector has a working directory of its own. A list of files stays a list. */
function absolute(paths: string): string {
  return paths.split(":")
    .map((path) => path.startsWith("/") ? path : `${Deno.cwd()}/${path}`)
    .join(":");
}
