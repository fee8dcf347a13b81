/**
 * `/etc/resolver` of macOS as the host's resolver.
 *
 * 1. Each of our zones has a file there; macOS looks at the directory by itself, and all other names are as before.
 * 2. What was asked before the change may be remembered wrongly: macOS is told to forget it.
 * 3. Taking our files away is all that there is to restore. Nothing is kept for later, and nothing of others is changed.
 */
import { logger } from "../../log.ts";
import type { Ip } from "../../net/mod.ts";
import { ourResolverFiles, planResolverFiles } from "./_resolver_files.ts";
import { type ResolverEdge, ResolverError, type ResolverPlan } from "./edge.ts";

export { resolverFileMarker, resolverFilePrefix } from "./_resolver_files.ts";

const log = logger("dns");

export interface ResolverDirectoryOptions {
  directory: string;
  /** Has the host forget the answers that it remembers. */
  forget: () => Promise<void>;
}

export class ResolverDirectoryEdge implements ResolverEdge {
  readonly #options: ResolverDirectoryOptions;
  #applied: ResolverPlan | undefined;

  constructor(options: ResolverDirectoryOptions) {
    this.#options = options;
  }

  async apply(plan: ResolverPlan): Promise<void> {
    try {
      await this.#write(plan);
    } catch (error) {
      this.#applied = undefined;
      await removeResolverFiles(this.#options.directory).catch(() => {});
      throw toResolverError(error);
    }
    this.#applied = plan;
  }

  async restore(): Promise<void> {
    this.#applied = undefined;
    const { directory, forget } = this.#options;
    if (await removeResolverFiles(directory)) await forget();
  }

  /** A file that somebody took away or changed is written again. */
  async follow(): Promise<void> {
    if (this.#applied === undefined) return;
    try {
      await this.#write(this.#applied);
    } catch (error) {
      throw toResolverError(error);
    }
  }

  /** The host's own are the business of who chose this edge. */
  nameservers(): Promise<readonly Ip[]> {
    return Promise.resolve([]);
  }

  async #write(plan: ResolverPlan): Promise<void> {
    const { directory, forget } = this.#options;
    const present = await readAll(directory);
    const { write, remove, taken } = planResolverFiles(plan, present);
    if (write.size === 0 && remove.length === 0) return;
    if (taken.length > 0) log.warn("others have the file", { zones: taken });
    await makeDirectory(directory);
    for (const [name, text] of write) {
      // One that is only changed was not read again before macOS 11.
      await removeIfThere(`${directory}/${name}`);
      await Deno.writeTextFile(`${directory}/${name}`, text);
      await Deno.chmod(`${directory}/${name}`, 0o644);
    }
    for (const name of remove) await removeIfThere(`${directory}/${name}`);
    await forget();
  }
}

/**
 * Takes our files away, and a directory that is empty then: to macOS that means nothing. Needs no knowledge of who wrote
 * them, so it repairs after a process that was killed.
 *
 * @returns whether there was one
 */
export async function removeResolverFiles(directory: string): Promise<boolean> {
  const ours = ourResolverFiles(await readAll(directory));
  for (const name of ours) await removeIfThere(`${directory}/${name}`);
  if (ours.length > 0) await Deno.remove(directory).catch(() => {});
  return ours.length > 0;
}

/** Whether one of our files is there. Needs no privilege. */
export async function holdsResolverFiles(directory: string): Promise<boolean> {
  return ourResolverFiles(await readAll(directory)).length > 0;
}

/** Texts of the files by name; none where there is no directory. */
async function readAll(directory: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  try {
    for await (const { name, isFile } of Deno.readDir(directory)) {
      if (!isFile) continue;
      const text = await Deno.readTextFile(`${directory}/${name}`)
        .catch(() => undefined);
      if (text !== undefined) texts.set(name, text);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return texts;
}

/** One that is there keeps its mode; a new one is everybody's to read, whatever this process's mask is. */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await Deno.mkdir(directory);
    await Deno.chmod(directory, 0o755);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function toResolverError(error: unknown): ResolverError {
  const code = String((error as { code?: unknown } | undefined)?.code);
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const state = isFull
    ? "the disk is full"
    : error instanceof Error
    ? error.message
    : String(error);
  return new ResolverError(
    isFull ? "disk-full" : "resolver-unwritable",
    `Cannot set the resolver: ${state}`,
    { cause: error },
  );
}

/** How long a program may take: one that hangs must not keep the daemon from its other duties. */
const timeoutMs = 1_000;

/** Has macOS forget: both caches, as its users are told to by hand. What fails costs a minute of a wrong answer. */
export async function forgetAnswers(): Promise<void> {
  const commands = [
    ["/usr/bin/dscacheutil", "-flushcache"],
    ["/usr/bin/killall", "-HUP", "mDNSResponder"],
  ] as const;
  for (const [program, ...args] of commands) {
    try {
      await new Deno.Command(program, {
        args,
        clearEnv: true,
        cwd: "/",
        stdin: "null",
        stdout: "null",
        stderr: "null",
        signal: AbortSignal.timeout(timeoutMs),
      }).output();
    } catch (error) {
      log.debug("not told to forget", { program, error });
    }
  }
}
