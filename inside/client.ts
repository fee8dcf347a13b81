/**
 * What `tp run` does to have a command inside of namespaces of its own.
 *
 * 1. `unshare` (a process of several threads cannot leave its user namespace) runs this program again, which meets us at a
 *    socket in a directory of ours, and sets its network.
 * 2. Once it has reported that, the directory is removed, and the connection is the session's.
 * 3. When it ends, whatever is left in its network namespace is ended.
 */
import { selfCommand } from "../build.ts";
import { type Conn, linesOf, writeAll } from "../net/mod.ts";
import { UnixConn } from "../tcp/mod.ts";
import { files, goAhead, type InsidePlan, type InsideReport } from "./api.ts";
import { endProcesses } from "./processes_linux.ts";
import { unshareFlags } from "./unshare_linux.ts";

export { type InsidePlan, limits, roles } from "./api.ts";
export { whyNoNamespaces } from "./unshare_linux.ts";

export interface StartOptions {
  /** A directory of this user's alone, to be made; gone when this settles. */
  directory: string;
  plan: InsidePlan;
  resolvConf: string;
  hosts: string;
  command: readonly string[];
  /** Called before the command runs, with what it will be a child of. */
  onStart: (child: Deno.ChildProcess) => void;
}

/** A command that is about to run in its namespaces. */
export interface Started {
  /** Its flows come as a session that it begins here. */
  readonly conn: Conn;
  /** Resolves to the exit code when the command, and all that it left in its network namespace, has ended. */
  readonly ended: Promise<number>;
}

/** The kernel does not let a namespace have its network. */
export class NoInsideError extends Error {
  override readonly name = "NoInsideError";
}

/** @throws {NoInsideError} when that cannot be had here; the command was not run. */
export async function startInside(options: StartOptions): Promise<Started> {
  const { directory, plan, resolvConf, hosts, command, onStart } = options;
  await using building = new AsyncDisposableStack();
  await Deno.mkdir(directory, { mode: 0o700, recursive: true });
  building.defer(() => Deno.remove(directory, { recursive: true }));
  const write = (name: string, text: string) =>
    Deno.writeTextFile(`${directory}/${name}`, text, { mode: 0o644 });
  await write(files.plan, JSON.stringify(plan));
  await write(files.resolvConf, resolvConf);
  await write(files.hosts, hosts);
  const path = `${directory}/${files.socket}`;
  using listener = Deno.listen({ transport: "unix", path });
  const child = spawn(directory, command);
  try {
    return await meet(child, { listener, onStart });
  } catch (error) {
    kill(child);
    await child.status;
    throw error;
  }
}

async function meet(
  child: Deno.ChildProcess,
  { listener, onStart }: {
    listener: Deno.UnixListener;
    onStart: StartOptions["onStart"];
  },
): Promise<Started> {
  const gone = child.status.then(({ code }) => {
    throw new NoInsideError(`Cannot run unshare: exit code ${code}`);
  });
  gone.catch(() => {});
  const conn = new UnixConn(await Promise.race([listener.accept(), gone]));
  try {
    const report = await readReport(conn);
    if (report.state === "failed") throw new NoInsideError(report.cause);
    // Held open: as long as it is, no other namespace has this name.
    const held = await Deno.open(`/proc/${child.pid}/ns/net`);
    onStart(child);
    // One that has ended meanwhile says so by its end.
    await writeAll(conn, new Uint8Array([goAhead])).catch(() => {});
    return { conn, ended: untilEnded(child, report.netns, held) };
  } catch (error) {
    conn.close();
    throw error;
  }
}

async function untilEnded(
  child: Deno.ChildProcess,
  netns: string,
  held: Disposable,
): Promise<number> {
  using _ = held;
  const { code } = await child.status;
  await endProcesses(netns);
  return code;
}

function spawn(
  directory: string,
  command: readonly string[],
): Deno.ChildProcess {
  const args = ["run-inside", directory, "--", ...command];
  return new Deno.Command("unshare", {
    args: [...unshareFlags(), "--", ...selfCommand(args)],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

/** One that has ended is no error. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has.
  }
}

/** Nothing follows it before we answer. */
async function readReport(conn: Conn): Promise<InsideReport> {
  for await (const line of linesOf(conn, { maxLength: 4096 })) {
    return JSON.parse(line);
  }
  throw new NoInsideError("Cannot hear of the namespace: its process ended");
}
