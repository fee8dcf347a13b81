/** What the benchmarks are told on their command lines. */

/** The value of `--NAME=VALUE`. */
export function valueOf(
  args: readonly string[],
  name: string,
): string | undefined {
  return args.find((arg) => arg.startsWith(`--${name}=`))
    ?.slice(name.length + 3);
}

/** Rounds, and how long each load of one lasts. */
export function roundOptions(args: readonly string[]) {
  return {
    rounds: Number(valueOf(args, "rounds") ?? 3),
    durationMs: Number(valueOf(args, "seconds") ?? 2) * 1000,
    json: args.includes("--json"),
  };
}
