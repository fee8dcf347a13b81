/** Somebody in a pod who fills the manager's doors, in a process of his own. */
import { processOfPod } from "./pod_process.ts";

/** What he has done so far. */
export interface CrowdCounts {
  /** Connections that stand. */
  readonly held: number;
  /** Connections that ended before he ended them. */
  readonly turnedAway: number;
  /** Tokens that prove nothing, by what they were told. */
  readonly tokens: Record<string, number>;
  /** Questions like the API server's, by the answer's status. */
  readonly reviews: Record<string, number>;
}

export interface DoorCrowdOptions {
  /** Connections of each of two kinds at each door. */
  holds: number;
  /** UID of his pod. */
  pod: string;
  /** The manager's. */
  address: string;
  authorities: string;
  review: string;
}

export class DoorCrowd implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #counts: CrowdCounts = { held: 0, turnedAway: 0, tokens: {}, reviews: {} };

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read();
  }

  static async open(
    { holds, pod, address, authorities, review }: DoorCrowdOptions,
  ): Promise<DoorCrowd> {
    const { pathname } = new URL("./door_crowd_script.ts", import.meta.url);
    const child = new Deno.Command("nsenter", {
      args: [
        ...["--net", `--target=${await processOfPod(pod)}`, "--"],
        ...[Deno.execPath(), "run", "-A", pathname],
        ...[`${holds}`, address, authorities, review],
      ],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    return new DoorCrowd(child);
  }

  get counts(): CrowdCounts {
    return this.#counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) {
      const lines = (rest + part).split("\n");
      rest = lines.pop()!;
      const last = lines.at(-1);
      if (last) this.#counts = JSON.parse(last);
    }
  }
}
