/**
 * `tp delete`
 *
 * 1. The file is read; nothing is touched if anything in it is wrong, or the connection is another than it declares.
 * 2. What it declares is ended, the last first: the program that serves it, then the intercept.
 * 3. It disconnects if the file declares a connection.
 */
import { ConnectError, type ConnectorClient } from "../connector/client.ts";
import {
  findConnection,
  findConnector,
  type RunningConnector,
} from "./_connector.ts";
import type { Context } from "./_context.ts";
import { disconnect } from "./_disconnect.ts";
import { failureError } from "./_failure.ts";
import type { DeclaredFlags } from "./apply.ts";
import { mustBeDeclared } from "./declared/connection.ts";
import { Handler } from "./declared/handler.ts";
import { leaveIfThere } from "./declared/leave.ts";
import { type DeleteStep, planDelete } from "./declared/plan.ts";
import { readFile } from "./declared/read_file.ts";
import type { Declared } from "./declared/read_state.ts";
import { Report } from "./declared/report.ts";
import { hasAny } from "./_meant_connection.ts";

export default async function run(
  this: Context,
  { file, dryRun, output, use }: DeclaredFlags,
): Promise<void> {
  const declared = await readFile(file);
  const report = new Report(this, output);
  const say = (line: string) => this.process.stderr.write(line + "\n");
  try {
    using connector = await meantBy(declared, { use, say });
    const present = await connector?.client.intercepts() ?? [];
    const { steps, others } = planDelete(declared.attachments, present);
    for (const step of steps) {
      const outcome = dryRun
        ? await wouldEnd(step)
        : await end(step, connector?.client);
      report.attachment(step, outcome);
    }
    if (declared.connection === undefined) return;
    if (connector === undefined) {
      return report.connection("not connected; nothing to tear down");
    }
    if (!dryRun) await disconnect(connector);
    const state = dryRun ? "would-disconnect" : "disconnected";
    const more = others.length === 0 ? "" : ` (ends ${others.join(", ")} too)`;
    report.connection(state + more);
  } catch (error) {
    throw error instanceof ConnectError ? failureError(error.failure) : error;
  } finally {
    await report.end();
  }
}

/** The connection that is declared, else the one that is meant; `undefined` when there is none. */
async function meantBy(
  { connection, attachments }: Declared,
  { use, say }: { use: RegExp | undefined; say: (line: string) => void },
): Promise<RunningConnector | undefined> {
  if (connection === undefined) {
    const isFit = hasAny(attachments.map(({ request: { name } }) => name));
    const action = "delete what the file declares";
    return await findConnection({ action, use, isFit }, say);
  }
  using building = new DisposableStack();
  const running = await findConnector(say);
  if (running === undefined) return undefined;
  building.use(running);
  if (running.connections.length === 0) return undefined;
  await mustBeDeclared(running, connection);
  building.move();
  return running;
}

interface Outcome {
  status: string;
  handler?: string;
}

async function end(
  { action, request: { name } }: DeleteStep,
  client: ConnectorClient | undefined,
): Promise<Outcome> {
  const isStopped = await new Handler(name).stop();
  const isRemoved = action === "remove" && await leaveIfThere(client!, name);
  return {
    status: isRemoved ? "removed" : "absent",
    ...isStopped ? { handler: "stopped" } : {},
  };
}

async function wouldEnd(
  { action, request: { name } }: DeleteStep,
): Promise<Outcome> {
  const state = await new Handler(name).state(undefined, {});
  return {
    status: action === "remove" ? "would-remove" : "absent",
    ...state === "none" ? {} : { handler: "would-stop" },
  };
}
