/**
 * `./dev bench startup`: how long `tp version` takes, as a ratio to an empty `deno run` in the same minute. The two take
 * turns, so that what else the machine does meets both.
 *
 * Reads: `dist/tp`. Exit code 1 when the ratio of the medians is above the budget.
 */
// deno-lint-ignore-file no-console -- the figures are for people

const tp = new URL("../dist/tp", import.meta.url).pathname;
const rounds = 41;
/** What `tp version` may take, as a multiple of an empty `deno run`. */
const budget = 2;

const directory = await Deno.makeTempDir();
const empty = `${directory}/empty.ts`;
await Deno.writeTextFile(empty, "");
const commands: Record<string, [string, ...string[]]> = {
  "deno run empty.ts": [Deno.execPath(), "run", empty],
  "tp version": [tp, "version"],
  "tp --help": [tp, "--help"],
};
const times = new Map<string, number[]>();

for (let round = -2; round < rounds; round++) { // the first two fill caches
  for (const [name, command] of Object.entries(commands)) {
    const ms = await timed(command);
    if (round < 0) continue;
    times.set(name, [...times.get(name) ?? [], ms]);
  }
}
await Deno.remove(directory, { recursive: true });

const base = median("deno run empty.ts");
for (const name of times.keys()) {
  const ratio = median(name) / base;
  console.log(
    `${name.padEnd(18)} median ${median(name).toFixed(1).padStart(6)} ms, ` +
      `fastest ${fastest(name).toFixed(1).padStart(6)} ms, ` +
      `ratio ${ratio.toFixed(2)}`,
  );
}
const ratio = median("tp version") / base;
console.log(
  `tp version / empty deno run: ${ratio.toFixed(2)} (budget ${budget})`,
);
if (ratio > budget) Deno.exit(1);

async function timed([program, ...args]: [string, ...string[]]) {
  const started = performance.now();
  const { success } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn().status;
  const ms = performance.now() - started;
  if (!success) {
    throw new Error(`Cannot time "${program} ${args[0]}": it fails`);
  }
  return ms;
}

function sorted(name: string): number[] {
  return times.get(name)!.toSorted((a, b) => a - b);
}

function median(name: string): number {
  return sorted(name)[Math.floor(rounds / 2)]!;
}

function fastest(name: string): number {
  return sorted(name)[0]!;
}
