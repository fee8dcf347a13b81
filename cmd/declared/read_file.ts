import { CommandError } from "../_error.ts";
import { type Declared, readState } from "./read_state.ts";

/**
 * Reads a file, or the standard input, which `-` stands for.
 *
 * @throws {CommandError}
 */
export async function readFile(file: string): Promise<Declared> {
  if (file === "-") {
    const text = await new Response(Deno.stdin.readable).text();
    return readState(text, { file: "stdin", directory: Deno.cwd() });
  }
  try {
    const text = await Deno.readTextFile(file);
    const path = await Deno.realPath(file.replace(/[^/]*$/, "") || ".");
    return readState(text, { file, directory: path });
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const state = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (cause as Error).message;
    throw new CommandError(
      `Cannot read "${file}": ${state}`,
      "Name a file, or `-` for the standard input",
      { cause },
    );
  }
}
