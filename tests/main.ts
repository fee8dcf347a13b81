// deno-lint-ignore-file no-console -- its words are for who runs it
/**
 * `./dev test [--keep] [FILTER…]`: every check and every test. The last line is `N passed, N failed, N skipped`.
 *
 * 1. Format, lint, types, Debian packages; each counts as one check.
 * 2. Unit tests, all rooms.
 * 3. The test bed is brought up (or `TP_TEST_KUBECONFIG` used), with this build's image and the sample application.
 * 4. End-to-end tests with `dist/tp`; only files whose name holds a FILTER, if one is given.
 * 5. The test bed goes down again unless it was up before, or `--keep` is given.
 */
import { type Counts, junitCounts } from "./support/junit.ts";

const deno = Deno.execPath();
const root = new URL("../", import.meta.url);
const args = [...Deno.args];
const keep = args.includes("--keep");
const filters = args.filter((arg) => !arg.startsWith("--"));

const cluster = [deno, "run", "-A", "tests/cluster/main.ts"];
const total: Counts = { passed: 0, failed: 0, skipped: 0 };

function heading(text: string): void {
  console.log(`\n=== ${text}`);
}

async function run(command: string[]): Promise<boolean> {
  const [program, ...rest] = command;
  const { success } = await new Deno.Command(program!, {
    args: rest,
    cwd: root,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}

async function check(name: string, command: string[]): Promise<boolean> {
  heading(name);
  const passed = await run(command);
  if (passed) total.passed++;
  else total.failed++;
  console.log(`${name}: ${passed ? "ok" : "FAILED"}`);
  return passed;
}

/** Runs `deno test`; a run that ends without a report counts as one failure. */
async function suite(name: string, options: string[]): Promise<void> {
  heading(name);
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const success = await run([
    deno,
    "test",
    "-A",
    `--junit-path=${report}`,
    ...options,
  ]);
  const counts = junitCounts(await Deno.readTextFile(report));
  await Deno.remove(report);
  const ran = counts.passed + counts.failed;
  if (ran === 0 || (!success && counts.failed === 0)) counts.failed++;
  for (const key of ["passed", "failed", "skipped"] as const) {
    total[key] += counts[key];
  }
}

async function endToEndFiles(): Promise<string[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL("tests/e2e/", root))) {
    const wanted = filters.length === 0 ||
      filters.some((filter) => name.includes(filter));
    if (name.endsWith("_test.ts") && wanted) files.push(`tests/e2e/${name}`);
  }
  return files.sort();
}

async function endToEnd(): Promise<void> {
  const foreign = Deno.env.has("TP_TEST_KUBECONFIG");
  const wasUp = foreign || await run([...cluster, "status"]);
  const ready = foreign ||
    await check("test bed up", [...cluster, "up"]) &&
      await check("image of this build", [...cluster, "image", "dist/tp"]) &&
      await check("sample application", [...cluster, "app"]);
  if (ready) await suite("end-to-end tests", await endToEndFiles());
  if (!wasUp && !keep) await check("test bed down", [...cluster, "down"]);
}

if (filters.length === 0) {
  await check("format", [deno, "fmt", "--check", "--quiet"]);
  await check("lint", [deno, "lint", "--quiet"]);
  await check("types", [deno, "check", "--quiet"]);
  await check("packages", [...cluster, "packages"]);
  await suite("unit tests", ["--quiet", "--parallel", "--ignore=tests/e2e"]);
}
await endToEnd();

const { passed, failed, skipped } = total;
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failed === 0 ? 0 : 1);
