/**
 * `tp daemon-foreground`
 *
 * With `--detach` this process only starts the daemon in a session of its own and waits until it listens, so that sudo
 * returns and no terminal holds the daemon.
 */
import { selfCommand } from "../build.ts";
import { waitForDaemon } from "../daemon/client.ts";
import { DaemonStartError, runDaemon } from "../daemon/mod.ts";
import type { Context } from "./_context.ts";
import { CommandError } from "./_error.ts";

export interface DaemonFlags {
  readonly uid: number;
  readonly detach: boolean;
}

const startMs = 10_000;

export default async function run(
  this: Context,
  { uid, detach }: DaemonFlags,
): Promise<void> {
  if (detach) return await startDetached(uid);
  try {
    await runDaemon({ uid });
  } catch (error) {
    if (!(error instanceof DaemonStartError)) throw error;
    throw new CommandError(error.message, "", { cause: error });
  }
}

async function startDetached(uid: number): Promise<void> {
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
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const abort = new AbortController();
  const ended = child.status.then(() => abort.abort());
  try {
    await waitForDaemon({ timeoutMs: startMs, signal: abort.signal });
    await child.stderr.cancel();
    child.unref();
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    await ended;
    const told = await new Response(child.stderr).text();
    throw new CommandError(told.trim().replace(/^tp: /, ""));
  }
}
