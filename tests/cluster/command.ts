/** What a command did. */
export interface CommandResult {
  /** Exit code; 124 if its time was up, 128 + n if signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** True if it, or something it left behind with its output still open, had to be ended. */
  readonly timedOut: boolean;
}

export interface CommandOptions {
  readonly stdin?: string | Uint8Array;
  /** Added to the environment, or all of it with `clearEnv`. */
  readonly env?: Record<string, string>;
  readonly clearEnv?: boolean;
  readonly cwd?: string;
  /** Default 60 000. */
  readonly timeoutMs?: number;
}

/**
 * Runs a command to its end and to the end of its output, and never throws for what it answers.
 *
 * @throws {Error} if there is no such program
 */
export async function run(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const startMs = performance.now();
  const child = spawn(argv, options);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended; only its output is still held open */ }
    stdout.stop();
    stderr.stop();
  }, options.timeoutMs ?? 60_000);
  try {
    const [status] = await Promise.all([
      child.status,
      feed(child.stdin, options.stdin),
      stdout.done,
      stderr.done,
    ]);
    return {
      code: timedOut ? 124 : status.code,
      stdout: stdout.text(),
      stderr: stderr.text(),
      durationMs: performance.now() - startMs,
      timedOut,
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a command that must succeed, and answers its standard output.
 *
 * @throws {Error} that names the command, how it ended and the end of what it said
 */
export async function must(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await run(argv, options);
  if (result.code === 0) return result.stdout;
  const how = result.timedOut
    ? `no end after ${Math.round(result.durationMs / 1000)} s`
    : `exit code ${result.code}`;
  const said = lastLines(result.stderr || result.stdout, 5);
  throw new Error(`Cannot run "${argv.join(" ")}": ${how}: ${said}`);
}

/** The last `count` lines of a text, joined into one. */
export function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join(" | ");
}

function spawn(argv: readonly string[], options: CommandOptions) {
  const [program = "", ...args] = argv;
  try {
    return new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: options.env ?? {},
      clearEnv: options.clearEnv ?? false,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }).spawn();
  } catch (cause) {
    throw new Error(
      `Cannot run "${program}": ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function feed(
  stdin: WritableStream<Uint8Array>,
  input: string | Uint8Array = "",
): Promise<void> {
  const bytes = typeof input === "string"
    ? new TextEncoder().encode(input)
    : input;
  const writer = stdin.getWriter();
  try {
    if (bytes.length > 0) await writer.write(bytes);
    await writer.close();
  } catch { /* the command did not want all of its input */ }
}

function collect(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const read = async () => {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        chunks.push(value as Uint8Array<ArrayBuffer>);
      }
    } catch { /* stopped */ }
  };
  const decoder = new TextDecoder();
  return {
    done: read(),
    stop: () => void reader.cancel().catch(() => {}),
    text: () =>
      chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") +
      decoder.decode(),
  };
}
