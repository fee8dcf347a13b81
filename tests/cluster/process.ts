import { must } from "./command.ts";
import { statePath } from "./paths.ts";
import { sleep, waitFor } from "./wait.ts";

/** A process in the background that outlives the one that started it. */
export interface BackgroundProcess {
  /** Names its pid file and its log. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Record<string, string>;
}

/** Where a background process writes what it says. */
export function logPath(name: string): string {
  return statePath("log", `${name}.log`);
}

function pidPath(name: string): string {
  return statePath("pid", name);
}

/**
 * Starts a process in a session of its own and notes its pid together with its start time, by which it is known again.
 *
 * @returns its pid
 */
export async function startProcess(process: BackgroundProcess) {
  await Deno.mkdir(statePath("log"), { recursive: true });
  await Deno.mkdir(statePath("pid"), { recursive: true });
  // What a caller holds open, like a lock, is not to live as long as this process.
  const script =
    'log=$1; shift; exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!';
  const stdout = await must(
    ["sh", "-c", script, "sh", logPath(process.name), ...process.argv],
    process.env === undefined ? {} : { env: process.env },
  );
  const pid = Number(stdout);
  const startTime = processStartTime(pid);
  await Deno.writeTextFile(pidPath(process.name), `${pid} ${startTime ?? 0}\n`);
  return pid;
}

/**
 * Starts a process that does nothing but keep namespaces open: `enter` makes or enters them, `script` prepares them.
 *
 * @returns its pid, when the script is done
 * @throws {Error} with the script's complaint
 */
export async function startHolder(
  name: string,
  enter: readonly string[],
  script: string,
): Promise<number> {
  await Deno.remove(logPath(name)).catch(() => {});
  const argv = [...enter, "sh", "-euc", `${script}\nexec sleep infinity`];
  const pid = await startProcess({ name, argv });
  await waitFor(`namespace ${name}`, async () => {
    await assertAlive(name);
    const command = await Deno.readTextFile(`/proc/${pid}/comm`)
      .catch(() => "");
    return command === "sleep\n" || "still being prepared";
  }, { timeoutMs: 10_000, everyMs: 5 });
  return pid;
}

/** The pid of a background process that is alive; `undefined` if it never was, has ended, or the pid is another's. */
export function livePid(name: string): number | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(pidPath(name));
  } catch {
    return undefined;
  }
  const [pid, startTime] = text.trim().split(" ");
  return processStartTime(Number(pid)) === startTime ? Number(pid) : undefined;
}

/** @throws {Error} with the end of its log if the process does not live */
export async function assertAlive(name: string): Promise<void> {
  if (livePid(name) !== undefined) return;
  const log = await Deno.readTextFile(logPath(name)).catch(() => "");
  const said = log.trim().split("\n").slice(-3).join(" | ");
  throw new Error(`Cannot go on: ${name} has ended: ${said}`);
}

/**
 * Ends a background process and waits until it is gone; one that is not alive is fine.
 *
 * @throws {Error} if it outlives SIGKILL by 10 s
 */
export async function stopProcess(
  name: string,
  { graceMs = 0 }: { graceMs?: number } = {},
): Promise<void> {
  const pid = livePid(name);
  if (pid !== undefined) {
    if (graceMs > 0) await signalUntilGone(pid, "SIGTERM", graceMs);
    if (livePid(name) === pid) await signalUntilGone(pid, "SIGKILL", 10_000);
    if (livePid(name) === pid) {
      throw new Error(`Cannot end ${name}: pid ${pid} survives SIGKILL`);
    }
  }
  await Deno.remove(pidPath(name)).catch(() => {});
}

/** Sends a signal to a process and waits until it is gone or the time is up. */
export async function signalUntilGone(
  pid: number,
  signal: Deno.Signal,
  timeoutMs: number,
): Promise<void> {
  const startTime = processStartTime(pid);
  if (startTime === undefined) return;
  try {
    Deno.kill(pid, signal);
  } catch {
    return;
  }
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs && processStartTime(pid) === startTime) {
    await sleep(10);
  }
}

/**
 * When a process started, in clock ticks since boot (field 22 of proc(5) stat): with the pid it names a process for
 * good. `undefined` if there is no such process or nothing but its exit code is left.
 */
export function processStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  return state === "Z" || state === "X" ? undefined : fields[19];
}
