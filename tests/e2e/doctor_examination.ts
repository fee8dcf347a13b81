/** What `tp doctor` says of a laptop, and of faults that are made on it. */
import assert from "node:assert/strict";
import {
  type Laptop,
  type LaptopCommandOptions,
  must,
  say,
} from "../cluster/mod.ts";
import { executable } from "../support/laptop_tp.ts";

export interface Verdict {
  id: string;
  state: "ok" | "warning" | "failed";
  found: string;
  remedy?: string;
}

export interface Examination extends LaptopCommandOptions {
  /** Words before `tp`. */
  readonly through?: readonly string[];
  readonly args?: readonly string[];
}

/** What is expected of a check: how it stands, what it finds and what it advises. */
export type Told = [state: Verdict["state"], found: RegExp, remedy: RegExp];

export interface Fault extends Examination {
  /** Completes "tp doctor tells". */
  readonly what: string;
  /** What makes it and, disposed of, mends it. */
  readonly make?: () => Promise<AsyncDisposable>;
  /** By the check's id; all others are well. */
  readonly tells: Record<string, Told>;
}

export async function examine(
  laptop: Laptop,
  { through = [], args = [], ...options }: Examination = {},
): Promise<Verdict[]> {
  const { code, stdout, stderr } = await laptop.run(
    [...through, executable, "doctor", "--output", "json", ...args],
    { timeoutMs: 150_000, ...options },
  );
  assert.notEqual(stdout, "", stderr);
  const { ok, checks } = JSON.parse(stdout) as {
    ok: boolean;
    checks: Verdict[];
  };
  assert.equal(code, ok ? 0 : 1);
  return checks;
}

/** A script of root's on the laptop, and one that undoes it. */
export async function doing(
  laptop: Laptop,
  [script, undo]: [string, string],
): Promise<AsyncDisposable> {
  const sh = (text: string) => must(laptop.command(["sh", "-euc", text]));
  await sh(script);
  return { [Symbol.asyncDispose]: () => sh(undo).then(() => {}) };
}

/** Has each fault be there and looked at, one after the other. */
export async function assertTold(
  t: Deno.TestContext,
  laptop: Laptop,
  faults: readonly Fault[],
): Promise<void> {
  for (const { what, make, tells, ...examination } of faults) {
    await t.step(`it tells ${what}`, async () => {
      await using _ = await make?.();
      const start = performance.now();
      const checks = await examine(laptop, examination);
      const ms = Math.round(performance.now() - start);
      const wrong = checks.filter(({ state }) => state !== "ok");
      for (const { id, state, found, remedy } of wrong) {
        say(`${what} (${ms} ms): ${state} ${id}: ${found} -> ${remedy}`);
      }
      assert.deepEqual(wrong.map(({ id }) => id), Object.keys(tells));
      for (const { id, state, found, remedy } of wrong) {
        const [expected, text, advice] = tells[id]!;
        assert.equal(state, expected, id);
        assert.match(found, text);
        assert.match(remedy!, advice);
      }
    });
  }
}
