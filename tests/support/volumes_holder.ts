import type { Laptop } from "../cluster/mod.ts";
import type { VolumesOptions } from "../../connector/volumes/volumes.ts";
import { waitFor } from "../cluster/mod.ts";

const script = new URL("volumes_script.ts", import.meta.url).pathname;
const user = "tp-test";

/** What a holder tells of itself. */
export interface HeldVolumes {
  root: string;
  mode: "mount" | "copy";
  error?: string;
  /** Why there are none. */
  thrown?: string;
}

/** Where an SFTP server is: at a Unix socket, or the program that `exec` runs. */
export type FilesServer = { socket: string } | { exec: string[] };

type HolderOptions =
  & Partial<Omit<VolumesOptions, "open">>
  & { env?: Record<string, string> };

/** A process of the laptop's user that holds a pod's volumes, as a connector does. */
export class VolumesHolder implements AsyncDisposable {
  readonly #laptop: Laptop;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  /** What it told last. */
  held: HeldVolumes = { root: "", mode: "mount" };

  private constructor(laptop: Laptop, child: Deno.ChildProcess) {
    this.#laptop = laptop;
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  static async start(
    laptop: Laptop,
    server: FilesServer,
    { env = {}, ...options }: HolderOptions = {},
  ): Promise<VolumesHolder> {
    const given = {
      ...("socket" in server
        ? { socket: server.socket }
        : { exec: server.exec }),
      // No option of sshfs comes of it.
      name: "sample/app,allow_other",
      isReadOnly: false,
      ...options,
    };
    const child = laptop.spawn(
      [Deno.execPath(), "run", "-A", "--quiet", script, JSON.stringify(given)],
      { user, env, stdin: "piped", stdout: "piped" },
    );
    const holder = new VolumesHolder(laptop, child);
    await holder.#hear();
    return holder;
  }

  /** Clears away what killed ones left, as the next command of the user does. */
  static async repair(laptop: Laptop): Promise<void> {
    const { code, stderr } = await laptop.run(
      [Deno.execPath(), "run", "-A", "--quiet", script, "repair"],
      { user },
    );
    if (code !== 0) throw new Error(`Cannot repair: ${stderr}`);
  }

  /** Runs a script as the laptop's user, in the root of the volumes. Answers what it printed, errors included. */
  async sh(script: string): Promise<string> {
    const { stdout } = await this.#laptop.run(["sh", "-c", script], {
      user,
      cwd: this.held.root,
    }).catch((error) => ({ stdout: String(error) }));
    return stdout.trim();
  }

  async ask(): Promise<HeldVolumes> {
    await this.#write("tell");
    return await this.#hear();
  }

  async untilError(pattern: RegExp | undefined): Promise<void> {
    await waitFor(`volumes with ${pattern ?? "no error"}`, async () => {
      const { error } = await this.ask();
      const isSo = pattern === undefined ? !error : pattern.test(error ?? "");
      return isSo || error || "no error";
    }, { everyMs: 50 });
  }

  /** Resolves once it has closed and ended. */
  async close(): Promise<void> {
    await this.#write("close");
    await this.#end();
  }

  /** kill -9, and nothing else. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #write(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  async #hear(): Promise<HeldVolumes> {
    const { value } = await this.#reader.read();
    return this.held = JSON.parse(value ?? "{}");
  }

  async #end(): Promise<void> {
    await this.#child.status;
    await this.#reader.cancel().catch(() => {});
    await this.#writer.close().catch(() => {});
  }
}
