import { dirname } from "node:path";
import { CommandError } from "./_error.ts";

/** A file that the user asked for could not be written. */
export async function notWritten(
  path: string,
  remedy: string,
  cause: unknown,
): Promise<CommandError> {
  return new CommandError(
    `Cannot write "${path}": ${await stateOf(path, cause as Error)}`,
    remedy,
    { cause },
  );
}

async function stateOf(path: string, cause: Error): Promise<string> {
  if (cause instanceof Deno.errors.NotFound) {
    const directory = await Deno.stat(dirname(path)).catch(() => undefined);
    if (!directory) return `there is no directory "${dirname(path)}"`;
    const file = await Deno.lstat(path).catch(() => undefined);
    if (file?.isSymlink) return "it is a link that leads nowhere";
  }
  switch ((cause as { code?: string }).code) {
    case "EACCES":
    case "EPERM":
      return "it is not allowed";
    case "EISDIR":
      return "it is a directory";
    case "ENOTDIR":
      return `"${dirname(path)}" is no directory`;
    case "ENOSPC":
      return "the disk is full";
    case "EROFS":
      return "the file system is read-only";
  }
  // The system's own words, without the number and the operation that Deno adds.
  return cause.message.replace(/ \(os error \d+\).*/, "");
}
