import { selfCommand } from "../build.ts";
import {
  ConnectorAbsentError,
  ConnectorClient,
  connectorLogPath,
} from "../connector/client.ts";
import { CommandError } from "./_error.ts";

const startTimeoutMs = 15_000;
const endTimeoutMs = 10_000;
const pollMs = 10;

/** The connector of this user, or `undefined` when none runs. */
export async function findConnector(): Promise<ConnectorClient | undefined> {
  const client = new ConnectorClient();
  try {
    await client.status();
    return client;
  } catch (error) {
    client[Symbol.dispose]();
    if (error instanceof ConnectorAbsentError) return undefined;
    throw error;
  }
}

/** The connector of this user, started if none runs. */
export async function openConnector(): Promise<ConnectorClient> {
  const running = await findConnector();
  if (running) return running;
  const exited = await startConnector();
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline && !exited()) {
    const client = await findConnector();
    if (client) return client;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new CommandError(
    "Cannot start the connector: it ended or does not answer",
    `Its log tells more: ${connectorLogPath()}`,
  );
}

/** Starts it in a session of its own, so that it outlives this terminal. */
async function startConnector(): Promise<() => boolean> {
  const log = connectorLogPath();
  await Deno.mkdir(log.slice(0, log.lastIndexOf("/")), {
    recursive: true,
    mode: 0o700,
  });
  await truncateLarge(log);
  const child = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      'umask 077; exec "$@" >>"$0" 2>&1',
      log,
      ...selfCommand(["connector-foreground"]),
    ],
    cwd: "/",
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let exited = false;
  child.status.then(() => exited = true);
  child.unref();
  return () => exited;
}

const largestLogBytes = 8 * 1024 * 1024;

async function truncateLarge(path: string): Promise<void> {
  const stat = await Deno.stat(path).catch(() => undefined);
  if (stat && stat.size > largestLogBytes) await Deno.truncate(path);
}

/** Waits until no connector of this user answers, for a bounded time. */
export async function untilConnectorEnds(): Promise<void> {
  const deadline = Date.now() + endTimeoutMs;
  while (Date.now() < deadline) {
    const client = await findConnector().catch(() => undefined);
    if (client === undefined) return;
    client[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
