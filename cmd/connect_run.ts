/**
 * `tp connect`
 *
 * 1. The connector is started if this user has none.
 * 2. It is asked to connect and tells what happens; the daemon is started when it asks for it.
 * 3. With a command after `--`, that runs, and the connection ends after it.
 */
import { defaultImage } from "../build.ts";
import type { ConnectEvent, Status } from "../connector/api.ts";
import type { Context } from "./_context.ts";
import { openConnector, untilConnectorEnds } from "./_connector.ts";
import { failureError } from "./_failure.ts";
import { launchDaemon } from "./_launch_daemon.ts";
import { repairIfNeeded } from "./_repair.ts";
import { runUserCommand } from "./_user_command.ts";
import type { ConnectFlags } from "./connect.ts";

export default async function run(
  this: Context,
  flags: ConnectFlags,
  ...command: string[]
): Promise<void> {
  const say = (line: string) => this.process.stdout.write(line + "\n");
  await repairIfNeeded(say);
  const { context, kubeconfig, namespace, managerNamespace } = flags;
  using connector = await openConnector();
  const events = connector.connect({
    ...context === undefined ? {} : { context },
    ...kubeconfig === undefined ? {} : { kubeconfig: absolute(kubeconfig) },
    ...namespace === undefined ? {} : { namespace },
    managerNamespace,
    image: flags.image ?? Deno.env.get("TP_IMAGE") ?? defaultImage,
  });
  const { already, status } = await follow(events, say);
  say(connectedLine(status, already));
  if (command.length === 0) return;
  this.process.exitCode = await runUserCommand(command);
  if (already) return;
  await connector.quit();
  await untilConnectorEnds();
}

/** Resolves when connected; a failure waits until the connector has cleaned up. */
async function follow(
  events: AsyncIterable<ConnectEvent>,
  say: (line: string) => void,
): Promise<{ already: boolean; status: Status }> {
  for await (const event of events) {
    switch (event.event) {
      case "progress":
        say(event.text);
        break;
      case "daemon-needed":
        await launchDaemon(say);
        break;
      case "connected":
        return event;
      case "failed":
        if (event.failure.kind !== "other-connection") {
          await untilConnectorEnds();
        }
        throw failureError(event.failure);
    }
  }
  throw failureError({
    kind: "internal",
    cause: "The connector ended while connecting",
  });
}

function connectedLine({ user_daemon }: Status, already: boolean): string {
  const { kubernetes_context, kubernetes_server } = user_daemon;
  const verb = already ? "Already connected" : "Connected";
  return `${verb} to context ${kubernetes_context} (${kubernetes_server})`;
}

/** The connector has a working directory of its own. A list of files stays a list. */
function absolute(paths: string): string {
  return paths.split(":")
    .map((path) => path.startsWith("/") ? path : `${Deno.cwd()}/${path}`)
    .join(":");
}
