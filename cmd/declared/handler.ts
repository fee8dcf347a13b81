/**
 * The program that serves an attachment, in the background.
 *
 * 1. It is started in a session of its own, so that it outlives this terminal, with the container's environment. What it
 *    writes goes to a log.
 * 2. Its process is noted: one of the same number that began at another time is not it.
 * 3. It is ended with all of its process group.
 */
import { cacheDirectory } from "../../connector/client.ts";
import { CommandError } from "../_error.ts";

export interface Command {
  readonly argv: readonly string[];
  /** Absolute; where it runs. */
  readonly directory: string;
}

/** What is noted of one that was started. */
interface Started extends Command {
  readonly pid: number;
  /** In ticks of the kernel since it started. */
  readonly since: string;
  /** Of its environment: values are secrets. */
  readonly digest: string;
}

/** How long one is watched for a failure to start. */
const startMs = 300;
/** How long one may take to end by itself. */
const endMs = 5_000;
const pollMs = 20;

export class Handler {
  readonly #directory: string;
  readonly #name: string;

  /** @param directory Of logs and notes; the user's own cache unless told. */
  constructor(name: string, directory = `${cacheDirectory()}/handlers`) {
    this.#name = name;
    this.#directory = directory;
  }

  get logPath(): string {
    return `${this.#directory}/${this.#name}.log`;
  }

  get #notePath(): string {
    return `${this.#directory}/${this.#name}.json`;
  }

  /** Whether one runs, and whether it is this one with this environment. */
  async state(
    command: Command | undefined,
    environment: Record<string, string>,
  ): Promise<"same" | "other" | "none"> {
    const started = await this.#running();
    if (started === undefined) return "none";
    const isSame = command !== undefined &&
      started.directory === command.directory &&
      JSON.stringify(started.argv) === JSON.stringify(command.argv) &&
      started.digest === await digestOf(environment);
    return isSame ? "same" : "other";
  }

  /**
   * Starts it; none may be running.
   *
   * @throws {CommandError} when it fails at once.
   */
  async start(
    { argv, directory }: Command,
    environment: Record<string, string>,
  ): Promise<void> {
    await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const child = this.#spawn({ argv, directory }, environment);
    const since = await startOf(child.pid);
    if (since !== undefined) {
      const digest = await digestOf(environment);
      const note = { argv, directory, digest, since, pid: child.pid };
      await Deno.writeTextFile(this.#notePath, JSON.stringify(note), {
        mode: 0o600,
      });
    }
    const ended = await soon(child.status, startMs);
    child.unref();
    if (ended === undefined || ended.success) return;
    const [last = ""] = (await Deno.readTextFile(this.logPath).catch(() => ""))
      .trimEnd().split("\n").slice(-1);
    throw new CommandError(
      `Cannot run "${
        argv[0]
      }" for "${this.#name}": it ended with exit code ${ended.code}${
        last === "" ? "" : `, ${last}`
      }`,
      `What it wrote: ${this.logPath}`,
    );
  }

  /** Ends it; resolves to whether there was one. */
  async stop(): Promise<boolean> {
    const started = await this.#running();
    if (started !== undefined) {
      kill(started.pid, "SIGTERM");
      const deadline = performance.now() + endMs;
      while (await isGroupAlive(started.pid) && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
      if (await isGroupAlive(started.pid)) kill(started.pid, "SIGKILL");
    }
    await Deno.remove(this.#notePath).catch(() => {});
    return started !== undefined;
  }

  #spawn(
    { argv, directory }: Command,
    env: Record<string, string>,
  ): Deno.ChildProcess {
    const script = 'umask 077; exec >"$0" 2>&1; exec "$@"';
    try {
      return new Deno.Command("/bin/sh", {
        args: ["-c", script, this.logPath, ...argv],
        ...{ cwd: directory, env, detached: true },
        ...{ stdin: "null", stdout: "null", stderr: "null" },
      }).spawn();
    } catch (cause) {
      throw new CommandError(
        `Cannot run "${argv[0]}" in "${directory}": ${
          (cause as Error).message
        }`,
        "",
        { cause },
      );
    }
  }

  async #running(): Promise<Started | undefined> {
    try {
      const started: Started = JSON.parse(
        await Deno.readTextFile(this.#notePath),
      );
      const { pid, since } = started;
      return await startOf(pid) === since ? started : undefined;
    } catch {
      return undefined;
    }
  }
}

/** When the process began; `undefined` when it has ended. */
async function startOf(pid: number): Promise<string | undefined> {
  return (await readStat(pid))?.since;
}

/** proc_pid_stat(5), fields 5 and 22; `undefined` for a process that has ended, whether it was taken leave of or not. */
async function readStat(
  pid: number | string,
): Promise<{ group: number; since: string } | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`)
    .catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return { group: Number(fields[2]), since: fields[19]! };
}

async function isGroupAlive(group: number): Promise<boolean> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    if ((await readStat(name))?.group === group) return true;
  }
  return false;
}

/** The whole group, if there is any of it. */
function kill(group: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-group, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function digestOf(environment: Record<string, string>): Promise<string> {
  const text = JSON.stringify(Object.entries(environment).toSorted());
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function soon<T>(
  promised: Promise<T>,
  ms: number,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) =>
    timer = setTimeout(() => resolve(undefined), ms)
  );
  try {
    return await Promise.race([promised, late]);
  } finally {
    clearTimeout(timer);
  }
}
