import { PodError } from "./_pod_error.ts";
import type { KubectlAccess } from "./access.ts";

/** Of what kubectl says, so much is kept. */
const textLimit = 4096;

/**
 * Runs `kubectl` beside itself and ends it when its own standard input ends: when {@link KubectlChild.end} is called,
 * or this process is gone, however it went. It lets go of the other streams, so that they end with kubectl.
 */
const leash = `kubectl "$@" </dev/null &
exec >/dev/null 2>&1
read -r _
kill "$!"
wait "$!"`;

/** What kubectl says of a port, and of the end of all. */
const complaint = /error occurred forwarding.*|lost connection to pod/;

/** Those that were told to end and have not. */
const ending = new Set<Promise<unknown>>();

/** Resolves when those that were told to end have ended. */
export async function childrenEnded(): Promise<void> {
  await Promise.all(ending);
}

/** One running `kubectl`. */
export class KubectlChild {
  readonly #child: Deno.ChildProcess;
  readonly #leash: WritableStreamDefaultWriter<Uint8Array>;
  readonly #ended: Promise<void>;
  /** Resolves when it has complained about the port, or ended. */
  readonly #complained = Promise.withResolvers<void>();
  #stderr = "";
  #hasEnded = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#leash = child.stdin.getWriter();
    // A leash that was let go of, or whose shell was killed.
    this.#leash.closed.catch(() => {});
    this.#ended = this.#listen();
  }

  static start({ context, env }: KubectlAccess, args: string[]): KubectlChild {
    return new KubectlChild(
      new Deno.Command("/bin/sh", {
        args: ["-c", leash, "sh", "--context", context, ...args],
        clearEnv: true,
        env,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        // The terminal's interrupt is not for it.
        detached: true,
      }).spawn(),
    );
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What it says on its standard output, a line each. What comes after the iteration is read and dropped. */
  async *lines(): AsyncGenerator<string, void> {
    let rest = "";
    const reader = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const lines = (rest + value).split("\n");
        rest = lines.pop()!.slice(0, textLimit);
        yield* lines;
      }
    } finally {
      this.#drop(reader);
    }
  }

  /** Its last complaint, as one line, once it has ended; what there is by then after `ms`. */
  async lastWords(ms: number): Promise<string> {
    await this.#orLate(this.#ended, ms);
    const lines = this.#stderr.trim().split("\n");
    return lines.at(-1)!.trim().replace(/^error: /, "");
  }

  /** What it says about the port in the pod; empty when it says nothing within `ms`. */
  async podError(ms: number): Promise<PodError> {
    await this.#orLate(this.#complained.promise, ms);
    const error = new PodError();
    const found = complaint.exec(this.#stderr);
    if (found) error.add(new TextEncoder().encode(found[0]));
    return error;
  }

  /** Ends it. Idempotent. */
  end(): void {
    this.#leash.close().catch(() => {});
    const { status } = this.#child;
    ending.add(status);
    status.finally(() => ending.delete(status));
  }

  /** Takes in what it complains about until it ends. */
  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of this.#child.stderr) {
      const text = this.#stderr + decoder.decode(piece, { stream: true });
      this.#stderr = text.slice(-textLimit);
      if (complaint.test(this.#stderr)) this.#complained.resolve();
    }
    this.#hasEnded = true;
    this.#complained.resolve();
  }

  async #drop(reader: ReadableStreamDefaultReader<string>): Promise<void> {
    try {
      while (!(await reader.read()).done);
    } catch {
      // It was ended.
    }
  }

  async #orLate(promise: Promise<void>, ms: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ms);
    await Promise.race([promise, late.promise]);
    clearTimeout(timer);
  }
}
