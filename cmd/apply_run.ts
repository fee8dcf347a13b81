/**
 * `tp apply`
 *
 * 1. The file is read; nothing is touched if anything in it is wrong.
 * 2. It connects if a connection is declared. One that is other than declared is an error.
 * 3. What there is is compared with what is declared, and each attachment made in the order of the file. The first that
 *    fails is the last; those before it stay.
 */
import type { OwnIntercept } from "../connector/api.ts";
import { ConnectError } from "../connector/client.ts";
import { attach } from "./_attach.ts";
import { connectInterruptibly, requestOf } from "./_connect.ts";
import {
  connectedConnector,
  findConnector,
  type RunningConnector,
} from "./_connector.ts";
import type { Context } from "./_context.ts";
import { writeEnvFiles } from "./_env_file.ts";
import { CommandError } from "./_error.ts";
import { failureError } from "./_failure.ts";
import { interruptedExitCode } from "./_interrupt.ts";
import type { DeclaredFlags } from "./apply.ts";
import { mustBeDeclared } from "./declared/connection.ts";
import { Handler } from "./declared/handler.ts";
import { leaveIfThere } from "./declared/leave.ts";
import { type ApplyStep, planApply } from "./declared/plan.ts";
import { readFile } from "./declared/read_file.ts";
import type { Declared } from "./declared/read_state.ts";
import { Report } from "./declared/report.ts";

type Say = (line: string) => void;

/** Completes "Cannot …". */
const action = "apply the file";

export default async function run(
  this: Context,
  { file, dryRun, output, use }: DeclaredFlags,
): Promise<void> {
  const say: Say = (line) => this.process.stderr.write(line + "\n");
  const declared = await readFile(file);
  const report = new Report(this, output);
  try {
    const isDone = dryRun
      ? await tell(declared, { report, use })
      : await bringAbout(declared, { report, say, use });
    if (isDone) return;
    say("Interrupted");
    this.process.exitCode = interruptedExitCode;
  } catch (error) {
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  } finally {
    await report.end();
  }
}

interface Means {
  report: Report;
  say: Say;
  /** The connection that is meant, unless one is declared. */
  use: RegExp | undefined;
}

/** Resolves to `false` when it was interrupted. */
async function bringAbout(
  declared: Declared,
  means: Means,
): Promise<boolean> {
  const { report } = means;
  const found = await connected(declared, means);
  if (found === "interrupted") return false;
  using connector = found.connector;
  report.connection(found.already ? "reused" : "connected");
  for (const step of await stepsOf(declared, connector)) {
    if (!await take(step, { ...means, connector })) return false;
  }
  return true;
}

async function connected({ connection }: Declared, { say, use }: Means) {
  if (connection !== undefined) {
    return await connectInterruptibly(await requestOf(connection), say);
  }
  const connector = await connectedConnector({ action, use });
  return { connector, already: true };
}

/** @throws {CommandError} when one of them is not ours to change. */
async function stepsOf(
  { attachments }: Declared,
  { client }: RunningConnector,
): Promise<readonly ApplyStep[]> {
  const { user_daemon: { namespace = "default" } } = await client.status();
  const present = await client.intercepts();
  const { steps, held } = planApply(attachments, { present, namespace });
  if (held.length === 0) return steps;
  throw new CommandError(
    `Cannot change ${held.map((name) => `"${name}"`).join(", ")}: ` +
      "a running command has it (`tp intercept … -- COMMAND`)",
    "End that command, or give the attachment another name",
  );
}

/** Resolves to `false` when it was interrupted. */
async function take(
  step: ApplyStep,
  means: Means & { connector: RunningConnector },
): Promise<boolean> {
  const { report } = means;
  try {
    // Who serves an intercept ends before it does.
    for (const name of step.yielding) {
      await new Handler(name).stop();
      await leaveIfThere(means.connector.client, name);
    }
    const isStopped = step.action !== "keep" &&
      await new Handler(step.request.name).stop();
    const info = await stand(step, means);
    if (info === undefined) return false;
    const environment = info.environment ?? {};
    await writeEnvFiles(environment, step.env, means.say);
    const handler = await serve(step, { environment, isStopped });
    report.attachment(step, {
      status: done[step.action],
      ...step.drift.length === 0 ? {} : { drift: step.drift },
      ...handler === undefined ? {} : { handler },
    });
    return true;
  } catch (error) {
    const { message } = error as Error;
    report.attachment(step, { status: "failed", error: message });
    throw error;
  }
}

/** What is told of the intercept when it stands as declared; `undefined` when it was interrupted. */
async function stand(
  { action, request, present }: ApplyStep,
  { connector: { client }, say }: Means & { connector: RunningConnector },
): Promise<OwnIntercept["info"] | undefined> {
  if (action === "keep") return present!.info;
  if (action === "re-create") await leaveIfThere(client, request.name);
  return (await attach(client, request, say))?.info;
}

/** Resolves to what became of the program that serves it. */
async function serve(
  { request, command }: ApplyStep,
  { environment, isStopped }: {
    environment: Record<string, string>;
    /** One that ran has been stopped already. */
    isStopped: boolean;
  },
): Promise<string | undefined> {
  const handler = new Handler(request.name);
  const state = await handler.state(command, environment);
  if (state === "same") return "unchanged";
  const isAnother = await handler.stop() || isStopped;
  if (command === undefined) return isAnother ? "stopped" : undefined;
  await handler.start(command, environment);
  return isAnother ? "restarted" : "started";
}

const done = {
  "create": "created",
  "keep": "unchanged",
  "re-create": "re-created",
} as const;
const would = {
  "create": "would-create",
  "keep": "unchanged",
  "re-create": "would-re-create",
} as const;

/** What would be done. */
async function tell(
  declared: Declared,
  { report, use }: Pick<Means, "report" | "use">,
): Promise<true> {
  const { connection } = declared;
  using running = connection === undefined
    ? await connectedConnector({ action, use })
    : await findConnector();
  const isConnected = running?.status === "Connected";
  if (isConnected && connection !== undefined) {
    await mustBeDeclared(running, connection);
  }
  report.connection(isConnected ? "reused" : "would-connect");
  const steps = isConnected
    ? await stepsOf(declared, running)
    : planApply(declared.attachments, { present: [], namespace: "" }).steps;
  for (const step of steps) {
    const handler = await wouldServe(step);
    report.attachment(step, {
      status: would[step.action],
      ...step.drift.length === 0 ? {} : { drift: step.drift },
      ...handler === undefined ? {} : { handler },
    });
  }
  return true;
}

async function wouldServe(
  { action, request, command, present }: ApplyStep,
): Promise<string | undefined> {
  const environment = present?.info.environment ?? {};
  const state = await new Handler(request.name).state(command, environment);
  if (command === undefined) {
    return state === "none" ? undefined : "would-stop";
  }
  if (state === "none") return "would-start";
  return state === "same" && action === "keep" ? "unchanged" : "would-restart";
}
