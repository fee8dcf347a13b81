import { dirname } from "node:path";
import { CommandError } from "./_error.ts";

/** A file that the user asked for could not be written. */
export function notWritten(
  path: string,
  remedy: string,
  cause: unknown,
): CommandError {
  return new CommandError(
    `Cannot write "${path}": ${stateOf(path, cause as Error)}`,
    remedy,
    { cause },
  );
}

function stateOf(path: string, cause: Error): string {
  if (cause instanceof Deno.errors.NotFound) {
    return `there is no directory "${dirname(path)}"`;
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
