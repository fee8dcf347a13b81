import { logger } from "../log.ts";
import { guardScript } from "./guard_script.ts";
import {
  killGroup,
  type ProcessId,
  processState,
  stateOf,
} from "../process/mod.ts";

const log = logger("daemon");

export interface GuardOptions {
  /** Where the script is written. */
  script: string;
  /** Where journal and sign of life are. */
  runDirectory: string;
  daemon: ProcessId;
}

/** The process that undoes what the daemon did if the daemon cannot. */
export class Guard {
  readonly #options: GuardOptions;
  #child: Deno.ChildProcess | undefined;
  #id: ProcessId | undefined;

  private constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** @throws when the script cannot be written or there is no `/bin/sh`. */
  static async start(options: GuardOptions): Promise<Guard> {
    const { script } = options;
    await Deno.remove(script).catch(() => {});
    const os = Deno.build.os === "darwin" ? "darwin" : "linux";
    await Deno.writeTextFile(script, guardScript(os), {
      createNew: true,
      mode: 0o700,
    });
    const guard = new Guard(options);
    await guard.#spawn();
    return guard;
  }

  get id(): ProcessId {
    return this.#id!;
  }

  /** Starts it anew when it was killed or stopped. Returns whether that was necessary. */
  async check(): Promise<boolean> {
    const state = await stateOf(this.id);
    if (state !== undefined && !state.stopped) return false;
    log.warn("the guard was killed or stopped: started anew");
    await this.stop();
    await this.#spawn();
    return true;
  }

  /** Nothing is left to undo: ends it. */
  async stop(): Promise<void> {
    await killGroup(this.id);
    await this.#child?.status;
  }

  async #spawn(): Promise<void> {
    const { script, runDirectory, daemon } = this.#options;
    // A session of its own: what ends the daemon's terminal or process group does not end it.
    this.#child = new Deno.Command("/bin/sh", {
      args: [script, String(daemon.pid), daemon.start, runDirectory],
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    const { pid } = this.#child;
    this.#id = await processState(pid) ?? { pid, start: "0" };
  }
}
