/** A `tp` that fails: what it tells, and that nothing of it is left behind. */
import assert from "node:assert/strict";
import type { Laptop, LaptopCommandOptions } from "../cluster/mod.ts";
import { executable } from "./laptop_tp.ts";
import { assertSameState } from "./same_state.ts";

/** What a failure was told as. */
export interface Told {
  /** One sentence: what could not be done, and why. */
  readonly cause: string;
  /** Facts beside it, a line each. */
  readonly details: readonly string[];
  /** One sentence: what to do about it. */
  readonly remedy: string;
  /** What was said while it was tried. */
  readonly progress: string;
  readonly durationMs: number;
}

export interface FailOptions extends LaptopCommandOptions {
  /** The words of a command that runs `tp`. */
  readonly through?: readonly string[];
}

/**
 * Runs `tp connect ARGS…`, which must fail with exit code 1, tell one sentence of cause and one of remedy, and leave the
 * laptop as it was.
 */
export async function failToConnect(
  laptop: Laptop,
  args: string[] = [],
  options: FailOptions = {},
): Promise<Told> {
  const before = await laptop.snapshot();
  const told = await toldBy(laptop, args, options);
  assertSameState(await laptop.snapshot(), before);
  return told;
}

/** Like {@link failToConnect} on a laptop that is connected, and stays so. */
export async function failWhileConnected(
  laptop: Laptop,
  args: string[] = [],
  options: FailOptions = {},
): Promise<Told> {
  const before = await connectedState(laptop);
  const told = await toldBy(laptop, args, options);
  assertSameState(await connectedState(laptop), before);
  return told;
}

/** The snapshot without what moves by itself: the guard's sleep, the daemon's sign of life. */
async function connectedState(laptop: Laptop): Promise<string> {
  const snapshot = await laptop.snapshot();
  return snapshot.replace(/^(sleep .*|.* \/run\/tp\/beat)\n/gm, "");
}

async function toldBy(
  laptop: Laptop,
  args: string[] = [],
  { through = [], ...options }: FailOptions = {},
): Promise<Told> {
  const { code, stdout, stderr, durationMs } = await laptop.run(
    [...through, executable, "connect", ...args],
    { timeoutMs: 150_000, ...options },
  );
  const all = `exit code ${code}\n${stdout}${stderr}`;
  assert.equal(code, 1, all);
  // What another program says, like sudo, comes before.
  const own = stderr.slice(stderr.indexOf("tp: ")).trimEnd().split("\n");
  const [cause = "", ...lines] = own;
  assert.match(cause, /^tp: Cannot .+[^.]$/, all);
  assert.ok(lines.length > 0, all);
  for (const line of lines) assert.match(line, /^ {4}\S/, all);
  assert.doesNotMatch(all, /internal|^\s+at /m);
  const trimmed = lines.map((line) => line.trim());
  return {
    cause: cause.slice("tp: ".length),
    details: trimmed.slice(0, -1),
    remedy: trimmed.at(-1)!,
    progress: stdout,
    durationMs,
  };
}
