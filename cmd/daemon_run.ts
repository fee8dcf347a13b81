/**
 * `tp daemon-foreground`
 *
 * With `--detach` this process only starts the daemon in a session of its own and waits until it listens, so that sudo
 * returns and no terminal holds the daemon.
 */
import { selfCommand } from "../build.ts";
import { diskFullCause, type Failure, isDiskFull } from "../connector/api.ts";
import { waitForDaemon } from "../daemon/client.ts";
import { DaemonStartError, repairHost, runDaemon } from "../daemon/mod.ts";
import type { Context } from "./_context.ts";
import { readFailure, reportFailure } from "./_start_report.ts";

export interface DaemonFlags {
  readonly uid?: number;
  readonly detach: boolean;
}

const startMs = 10_000;

export default async function run(
  this: Context,
  { uid, detach }: DaemonFlags,
): Promise<void> {
  const failure = detach ? await startDetached(uid ?? 0) : await serve(uid);
  if (failure === undefined) return;
  reportFailure(this.process, failure);
  this.process.exitCode = 1;
}

/** Runs the daemon; tells why it could not start, and leaves nothing of the attempt. */
async function serve(uid: number | undefined): Promise<Failure | undefined> {
  try {
    await runDaemon(uid === undefined ? {} : { uid });
    return undefined;
  } catch (error) {
    await repairHost().catch(() => {});
    return failureOf(error);
  }
}

/** Resolves when a daemon listens, or has listened, or with why it could not start. */
async function startDetached(uid: number): Promise<Failure | undefined> {
  const [program, ...args] = selfCommand([
    "daemon-foreground",
    "--uid",
    String(uid),
  ]);
  const child = new Deno.Command(program, {
    args,
    cwd: "/",
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const abort = new AbortController();
  child.status.then(() => abort.abort());
  try {
    await waitForDaemon({ timeoutMs: startMs, signal: abort.signal });
    await child.stdout.cancel();
    child.unref();
    return undefined;
  } catch (error) {
    if (!abort.signal.aborted) return failureOf(error);
    const { success, code } = await child.status;
    const output = await new Response(child.stdout).text();
    // The connector may have come and gone before we looked.
    if (success) return undefined;
    return readFailure(output) ?? failureOf(new Error(`exit code ${code}`));
  }
}

function failureOf(error: unknown): Failure {
  const action = "start the daemon";
  if (isDiskFull(error)) {
    return { kind: "disk-full", cause: diskFullCause(action, error) };
  }
  const { message } = error as Error;
  const cause = error instanceof DaemonStartError
    ? message
    : `Cannot ${action}: ${message.replace(/^Cannot [^:]+: /, "")}`;
  return { kind: "daemon-failed", cause };
}
