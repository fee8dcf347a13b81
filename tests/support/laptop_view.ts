import { basename } from "node:path";
import { type Laptop, waitFor } from "../cluster/mod.ts";

/** A process on a laptop. */
export interface SeenProcess {
  readonly pid: number;
  readonly args: readonly string[];
}

/**
 * What a laptop is at a moment, read from /proc within milliseconds and without starting anything there: for who waits
 * for a step that is soon over. While it is open, the laptop has one more process.
 */
export class LaptopView implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  static async open(laptop: Laptop): Promise<LaptopView> {
    const process = laptop.spawn(["sleep", "infinity"]);
    await waitFor("process on the laptop", async () => {
      const name = await Deno.readTextFile(`/proc/${process.pid}/comm`);
      return name === "sleep\n" || name;
    }, { timeoutMs: 10_000, everyMs: 5 });
    return new LaptopView(process);
  }

  has(path: string): boolean {
    try {
      Deno.lstatSync(this.#path(`root${path}`));
      return true;
    } catch {
      return false;
    }
  }

  /** Of a file that is no link; empty when there is none. */
  text(path: string): string {
    return read(this.#path(`root${path}`));
  }

  hasDevice(name: string): boolean {
    return read(this.#path("net/dev")).includes(`${name}:`);
  }

  /** Whether an IPv4 route leads to a device, beside that of its own subnet. */
  hasRoutes(device: string): boolean {
    const lines = read(this.#path("net/route")).split("\n");
    return lines.filter((line) => line.startsWith(`${device}\t`)).length > 1;
  }

  /** @param kind As in mount(8), e.g. "fuse.sshfs". */
  hasMount(kind: string): boolean {
    return read(this.#path("mountinfo")).includes(` - ${kind} `);
  }

  /** The process that runs a subcommand of `tp`; not who runs that by its own arguments, as `sudo` does. */
  find(subcommand: string): SeenProcess | undefined {
    return this.#processes().find(({ args }) =>
      args[1] === subcommand && basename(args[0]!) === "tp"
    );
  }

  /** The script that undoes what the daemon did; it leads a group. */
  findGuard(): SeenProcess | undefined {
    return this.#processes().find(({ args }) =>
      basename(args[0]!) === "sh" && basename(args[1] ?? "") === "guard.sh"
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  #processes(): SeenProcess[] {
    const found: SeenProcess[] = [];
    const namespace = linkAt(this.#path("ns/net"));
    for (const { name } of Deno.readDirSync("/proc")) {
      const args = /^\d+$/.test(name) ? read(`/proc/${name}/cmdline`) : "";
      if (args === "" || linkAt(`/proc/${name}/ns/net`) !== namespace) continue;
      found.push({ pid: Number(name), args: args.split("\0").slice(0, -1) });
    }
    return found;
  }

  #path(path: string): string {
    return `/proc/${this.#process.pid}/${path}`;
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function linkAt(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
