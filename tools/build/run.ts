/**
 * Runs a program of the build and resolves to its standard output.
 *
 * @throws {Error} with the program's own words when it fails or is not there.
 */
export async function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const output = await new Deno.Command(program, {
    args,
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output().catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot run "${program}": no such program`, {
      cause: error,
    });
  });
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  ) as [string, string];
  if (output.success) return stdout;
  throw new Error(
    `Cannot run "${program}": exit code ${output.code}\n${stdout}${stderr}`,
  );
}
