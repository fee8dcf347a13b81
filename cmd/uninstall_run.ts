import {
  type ConnectedPlace,
  ConnectError,
  uninstall,
} from "../connector/mod.ts";
import { loadAccess } from "../k8s/mod.ts";
import { findConnector, mean } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { disconnect } from "./_disconnect.ts";
import { CommandError } from "./_error.ts";
import { failureError } from "./_failure.ts";
import { Interrupt, interruptedExitCode } from "./_interrupt.ts";
import { printable } from "./_printable.ts";
import { isOfPlace } from "./_meant_connection.ts";
import quit from "./quit_run.ts";
import { readSettings, settingsRequest } from "./_settings.ts";
import type { UninstallFlags } from "./uninstall.ts";

export default async function run(
  this: Context,
  flags: UninstallFlags,
  ...workloads: string[]
): Promise<void> {
  mustBeOneWish(flags, workloads);
  const { context, kubeconfig, namespace, everything } = flags;
  const { managerNamespace } = settingsRequest(await readSettings(flags));
  // It tells whose intercepts are removed, as they said.
  const say = (text: string) =>
    this.process.stdout.write(printable(text) + "\n");
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  try {
    const done = await uninstall({
      ...context === undefined ? {} : { context },
      ...kubeconfig === undefined ? {} : { kubeconfig },
      ...{ namespace, managerNamespace, everything, signal },
      ...workloads.length === 0
        ? {}
        : { workloads, connected: await connectedPlace(flags) },
      tell: (event) => {
        if (event.event === "progress") say(event.text);
      },
    });
    done.forEach(say);
  } catch (error) {
    if (signal.aborted) {
      say("Interrupted; run it again to go on");
      this.process.exitCode = interruptedExitCode;
      return;
    }
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  }
  if (!everything) return;
  const hadSeveral = await quitOf({ ...flags, managerNamespace }, say);
  if (!hadSeveral) await quit.call(this, {});
}

/**
 * Of several connections ends those to that manager alone.
 *
 * @returns whether there were several.
 */
async function quitOf(
  { context, kubeconfig, managerNamespace }: UninstallFlags,
  say: (text: string) => void,
): Promise<boolean> {
  using connector = await findConnector().catch(() => undefined);
  if (!connector || connector.connections.length < 2) return false;
  const { server } = await loadAccess({
    env: Deno.env.toObject(),
    ...kubeconfig === undefined ? {} : { kubeconfig },
    ...context === undefined ? {} : { context },
  });
  const ended = connector.connections.filter((one) =>
    new URL(one.kubernetes_server ?? "").href === server.href &&
    one.manager_namespace === managerNamespace
  );
  for (const { name } of ended) {
    connector.client.connection = name!;
    await disconnect(connector);
    say(`Disconnected ${name}`);
  }
  return true;
}

/** `undefined` as well when the connector does not answer: nothing of this depends on it. */
async function connectedPlace(
  { use, ...flags }: UninstallFlags,
): Promise<ConnectedPlace | undefined> {
  using connector = await findConnector().catch(() => undefined);
  const isFit = isOfPlace(flags);
  if (!connector || !mean(connector, { action: "uninstall", use, isFit })) {
    return undefined;
  }
  try {
    const { user_daemon } = await connector.client.status();
    const {
      kubernetes_context: context,
      kubernetes_server: server,
      namespace,
    } = user_daemon;
    const isConnected = context && server && namespace;
    return isConnected ? { context, server, namespace } : undefined;
  } catch {
    return undefined;
  }
}

function mustBeOneWish(
  { allAgents, everything }: UninstallFlags,
  workloads: readonly string[],
): void {
  const wishes = [allAgents, everything, workloads.length > 0];
  if (wishes.filter(Boolean).length === 1) return;
  throw new CommandError(
    "Cannot uninstall: it is not said what, or more than one thing",
    "Name workloads, or give `--all-agents` or `--everything`",
    { exitCode: 2 },
  );
}
