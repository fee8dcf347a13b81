/**
 * The program that serves an attachment, in the background.
 *
 * 1. It is started in a session of its own, so that it outlives this terminal, with the container's environment. What it
 *    writes goes to a log.
 * 2. Its process is noted: one of the same number that began at another time is not it. What it leaves in its process group
 *    when it ends is known by a mark in the environment.
 * 3. It is ended with all of that group.
 */
import { cacheDirectory } from "../../connector/client.ts";
import {
  environmentOf,
  membersOf,
  processState,
  stateOf,
} from "../../process/mod.ts";
import { CommandError } from "../_error.ts";

export interface Command {
  readonly argv: readonly string[];
  /** Absolute; where it runs. */
  readonly directory: string;
}

/** What is noted of one that was started. */
interface Started extends Command {
  /** Of the first process, and of the group. */
  readonly pid: number;
  /** When it started, in words of the system; absent when it had ended before one could look. */
  readonly since?: string;
  /** Value of {@link markVariable}. */
  readonly mark: string;
  /** Of its environment: values are secrets. */
  readonly digest: string;
  /** Its first process ended well at once, and it went on without. */
  readonly isBackground?: boolean;
}

/** Variable of its environment that tells it from all others. */
const markVariable = "TP_HANDLER";

/** How long one is watched for a failure to start. */
const startMs = 300;
/** How long one may take to end by itself, and when it is killed. */
const [endMs, killMs] = [5_000, 1_000];
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

  /**
   * Whether one runs, and whether it is this one with this environment. What is left of one whose first process ended is
   * another one: what was to serve is not there.
   */
  async state(
    command: Command | undefined,
    environment: Record<string, string>,
  ): Promise<"same" | "other" | "none"> {
    const started = await this.#running();
    if (started === undefined) return "none";
    const isWhole = started.isBackground || await isFirstAlive(started);
    const isSame = isWhole && command !== undefined &&
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
    const mark = crypto.randomUUID();
    const marked = { ...environment, [markVariable]: mark };
    const child = this.#spawn({ argv, directory }, marked);
    const since = (await processState(child.pid))?.start;
    const started: Started = {
      ...{ argv, directory, mark, pid: child.pid },
      ...since === undefined ? {} : { since },
      digest: await digestOf(environment),
    };
    await this.#note(started);
    const ended = await soon(child.status, startMs);
    child.unref();
    if (ended === undefined) return;
    if (ended.success) {
      return await this.#note({ ...started, isBackground: true });
    }
    await this.stop();
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
    if (started !== undefined) await endGroup(started.pid);
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

  async #note(started: Started): Promise<void> {
    const options = { mode: 0o600 };
    await Deno.writeTextFile(this.#notePath, JSON.stringify(started), options);
  }

  /** What was started, if anything of it is there. */
  async #running(): Promise<Started | undefined> {
    try {
      const started: Started = JSON.parse(
        await Deno.readTextFile(this.#notePath),
      );
      const isThere = await isFirstAlive(started) ||
        await isMarkedAlive(started);
      return isThere ? started : undefined;
    } catch {
      return undefined;
    }
  }
}

async function isFirstAlive({ pid, since }: Started): Promise<boolean> {
  return since !== undefined &&
    await stateOf({ pid, start: since }) !== undefined;
}

/** The number of a group is nobody else's while it has a process, but afterwards it may be. */
async function isMarkedAlive({ pid, mark }: Started): Promise<boolean> {
  const variable = `${markVariable}=${mark}`;
  for (const member of await membersOf(pid)) {
    if ((await environmentOf(member.pid)).includes(variable)) return true;
  }
  return false;
}

/** Resolves when there is nothing left of it: what does not end by itself is killed. */
async function endGroup(group: number): Promise<void> {
  const steps = [["SIGTERM", endMs], ["SIGKILL", killMs]] as const;
  for (const [signal, limitMs] of steps) {
    kill(group, signal);
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline) {
      if ((await membersOf(group)).length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
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
