/**
 * `tp intercept`, `replace`, `wiretap`, `ingest`
 *
 * 1. It connects, unless this laptop is connected.
 * 2. The connector is asked, and tells what happens. When it is interrupted, all is undone before it ends.
 * 3. Files of the environment are written, and the outcome is told.
 * 4. With a command after `--`, that runs with the environment, and the intercept ends after it.
 */
import {
  imageUnusedText,
  type InterceptInfo,
  type InterceptMode,
  type InterceptRequest,
} from "../connector/api.ts";
import { attach, type Attached } from "./_attach.ts";
import { connectedLine, connectInterruptibly, requestOf } from "./_connect.ts";
import {
  findConnection,
  notConnected,
  type RunningConnector,
} from "./_connector.ts";
import type { Context } from "./_context.ts";
import { writeEnvFiles } from "./_env_file.ts";
import { CommandError } from "./_error.ts";
import type { InterceptFlags } from "./_intercept_flags.ts";
import { mustBeAlone } from "./_local_only.ts";
import { interceptRequest } from "./_intercept_request.ts";
import { interceptText } from "./_intercept_text.ts";
import { interruptedExitCode } from "./_interrupt.ts";
import { formatValue } from "./_output.ts";
import { readSettings } from "./_settings.ts";
import { tellsWhat } from "./_understood.ts";
import { runUserCommand } from "./_user_command.ts";

type Say = (line: string) => void;

/** The function of the command. */
export function runs(mode: InterceptMode) {
  return async function (
    this: Context,
    flags: InterceptFlags,
    name: string,
  ): Promise<void> {
    const { userCommand, process } = this;
    const isQuiet = userCommand !== undefined || flags.output !== "text";
    const words = isQuiet ? process.stderr : process.stdout;
    const say: Say = (line) => words.write(line + "\n");
    const request = understood(mode, () => {
      mustBeAlone(flags);
      return interceptRequest(mode, { name, flags });
    });
    const isHeld = userCommand !== undefined;
    using connector = await connected(flags, say);
    const attached = connector === undefined ? undefined : await attach(
      connector.client,
      { ...await withDefaultPort(request, { flags, connector }), isHeld },
      say,
    );
    if (attached === undefined) {
      say("Interrupted");
      process.exitCode = interruptedExitCode;
      return;
    }
    const code = await use(attached, { flags, userCommand, say, process });
    if (code !== undefined) process.exitCode = code;
  };
}

/** One that takes traffic and names no port has that of the settings of the cluster that it is in, if they have one. */
async function withDefaultPort<T extends Omit<InterceptRequest, "isHeld">>(
  request: T,
  { flags, connector }: {
    flags: InterceptFlags;
    connector: RunningConnector;
  },
): Promise<T> {
  const { mode, ports, localOnly } = request;
  const isTaken = mode === "intercept" || mode === "wiretap";
  if (!isTaken || ports.length > 0 || localOnly) return request;
  const context = flags.context ??
    (await connector.client.status()).user_daemon.kubernetes_context;
  const settings = await readSettings({
    ...flags,
    ...context === undefined ? {} : { context },
  });
  const laptop = settings["intercept.defaultPort"]?.value;
  return laptop === undefined ? request : { ...request, ports: [{ laptop }] };
}

/** @returns the exit code of the user's command, if there is one. */
async function use(
  attached: Attached,
  { flags, userCommand, say, process }:
    & Pick<Context, "userCommand" | "process">
    & { flags: InterceptFlags; say: Say },
): Promise<number | undefined> {
  const { info } = attached;
  const { environment: env = {} } = info;
  let isKept = false;
  try {
    await writeEnvFiles(env, flags, say);
    if (flags.output === "text") say(interceptText(info));
    else {
      const told = shown(info, flags.detailedOutput);
      process.stdout.write(await formatValue(told, flags.output));
    }
    if (flags.waitMessage !== undefined) say(flags.waitMessage);
    isKept = userCommand === undefined;
    if (userCommand === undefined) return undefined;
    attached.follow(say);
    return await runUserCommand(userCommand, { env });
  } finally {
    if (!isKept) await attached.leave();
  }
}

/** A connection; `undefined` when it was interrupted. */
async function connected(
  flags: InterceptFlags,
  say: Say,
): Promise<RunningConnector | undefined> {
  const isAny = flags.context === undefined && flags.kubeconfig === undefined &&
    flags.managerNamespace === undefined;
  // Who names a connection means that one, and none that is yet to be made.
  if (isAny || flags.use !== undefined) {
    const meaning = { action: "intercept", use: flags.use };
    const running = await findConnection(meaning, say);
    if (running !== undefined) {
      if (flags.image !== undefined) say(imageUnusedText);
      return running;
    }
    if (flags.use !== undefined) notConnected(meaning);
  }
  const outcome = await connectInterruptibly(await requestOf(flags), say);
  if (outcome === "interrupted") return undefined;
  if (!outcome.already) say(connectedLine(outcome.status, { already: false }));
  return outcome.connector;
}

/** @throws {CommandError} in the place of a SyntaxError. */
function understood<T>(command: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const options = { cause: error, exitCode: 2 };
    throw new CommandError(error.message, tellsWhat(command), options);
  }
}

function shown(info: InterceptInfo, isDetailed: boolean): InterceptInfo {
  if (isDetailed) return info;
  const { environment: _, ...others } = info;
  return others;
}
