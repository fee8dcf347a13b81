/**
 * `tp gather-logs`
 *
 * 1. The laptop's logs and the connection's state are read, then the cluster's with this user's rights.
 * 2. What looks like a secret is taken out of every text, and where it is asked for, names are replaced.
 * 3. One zip holds all, and what could not be read.
 */
import { version } from "../build.ts";
import type { ConnectRequest, Status } from "../connector/api.ts";
import { gatherClusterLogs, withoutTokens } from "../connector/mod.ts";
import { requestOf } from "./_connect.ts";
import { connectedPlace } from "./_connected_place.ts";
import { findConnector, mean } from "./_connector.ts";
import type { Context } from "./_context.ts";
import { Interrupt, interruptedExitCode } from "./_interrupt.ts";
import { logToFile } from "./_log_file.ts";
import { heldBy, isOfPlace } from "./_meant_connection.ts";
import { notWritten } from "./_not_written.ts";
import { formatValue } from "./_output.ts";
import { laptopLogs } from "./gather/laptop_logs.ts";
import { namesInLog } from "./gather/names_in_log.ts";
import { type Named, pseudonymizer } from "./gather/pseudonyms.ts";
import { writePrivately, zipOf } from "./gather/zip.ts";
import type { GatherLogsFlags } from "./gather_logs.ts";

export default async function run(
  this: Context,
  flags: GatherLogsFlags,
): Promise<void> {
  await logToFile();
  using interrupt = new Interrupt();
  const path = flags.outputFile ??
    `./tp_logs_${new Date().toISOString().slice(0, 19)}Z.zip`;
  try {
    const { files, problems } = await gather(flags, interrupt);
    await write(path, zipOf(files));
    for (const problem of problems) {
      this.process.stderr.write(`Not gathered: ${problem}\n`);
    }
    this.process.stdout.write(`Logs have been exported to ${path}\n`);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    this.process.exitCode = interruptedExitCode;
  }
}

async function gather(
  flags: GatherLogsFlags,
  { signal }: { signal: AbortSignal },
): Promise<{ files: Map<string, string>; problems: string[] }> {
  const status = await currentStatus(flags);
  const laptop = await laptopLogs(flags.daemons);
  const request = await requestOf(connectedPlace(status, flags));
  const { trafficAgents: agents, trafficManager: manager } = flags;
  const isWanted = manager || agents !== "none";
  const cluster = isWanted
    ? await gatherClusterLogs({
      ...{ cluster: request, manager, pods: flags.getPodYaml, signal },
      ...agents === "none"
        ? {}
        : { agents: (pod) => agents === "all" || pod.includes(agents) },
    })
    : undefined;
  const problems = [...laptop.problems, ...cluster?.problems ?? []];
  const all = new Map<string, string | object>([
    ["version.txt", `tp ${version}\n`],
    ...status
      ? [["status.json", JSON.stringify(status, null, 2)] as const]
      : [],
    ...laptop.files,
    ...cluster?.files ?? [],
    ...problems.length > 0
      ? [["problems.txt", problems.join("\n") + "\n"] as const]
      : [],
  ]);
  const hide = flags.anonymize
    ? pseudonymizer([
      ...cluster?.names ?? [],
      ...namesOf(status, { request, problems }),
      ...[...laptop.files, ...cluster?.files ?? []].flatMap(([, content]) =>
        typeof content === "string" ? namesInLog(content) : []
      ),
    ])
    : (text: string) => text;
  const files = new Map<string, string>();
  for (const [name, content] of all) {
    const text = typeof content === "string"
      ? content
      : await formatValue(content, "yaml");
    files.set(hide(name), hide(withoutTokens(text)));
  }
  return { files, problems };
}

/** `undefined` when the connector does not answer: its log tells more. */
async function currentStatus(
  { use, ...flags }: GatherLogsFlags,
): Promise<Status | undefined> {
  using running = await findConnector().catch(() => undefined);
  if (running === undefined) return undefined;
  const isFit = isOfPlace(flags);
  const isMeant = mean(running, { action: "gather logs", use, isFit });
  if (!isMeant && running.connections.length > 0) return undefined;
  return await running.client.status().catch(() => undefined);
}

/** Names that logs of this laptop hold, and reasons of what could not be read. */
export function namesOf(
  status: Status | undefined,
  { request, problems }: {
    request: Pick<ConnectRequest, "context" | "namespace" | "managerNamespace">;
    problems: readonly string[];
  },
): Named[] {
  const user = status?.user_daemon;
  const server = user?.kubernetes_server;
  const held = user === undefined ? [] : heldBy(user);
  const users = problems.flatMap((text) => [
    ...text.matchAll(/\buser "([^"]+)"/gi),
  ]);
  const named = (kind: Named["kind"], names: readonly string[] = []) =>
    names.map((name) => ({ kind, name }));
  return [
    ...[request.namespace, user?.namespace, request.managerNamespace]
      .map((name = "") => ({ kind: "namespace", name })),
    ...held.flatMap(({ name, namespace }) => [
      { kind: "workload", name },
      { kind: "namespace", name: namespace },
    ]),
    ...[request.context, user?.kubernetes_context]
      .map((name = "") => ({ kind: "context", name })),
    { kind: "server", name: server ? new URL(server).hostname : "" },
    ...named("namespace", user?.mapped_namespaces),
    ...named(
      "host",
      status?.root_daemon?.followed_names.map(({ name }) => name),
    ),
    { kind: "host", name: Deno.hostname() },
    { kind: "user", name: Deno.env.get("USER") ?? "" },
    ...users.map(([, name = ""]) => ({ kind: "user", name })),
  ];
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writePrivately(path, bytes);
  } catch (cause) {
    const remedy =
      "Give a file in a directory of yours: `--output-file FILE.zip`";
    throw await notWritten(path, remedy, cause);
  }
}
