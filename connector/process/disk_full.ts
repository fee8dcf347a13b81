/** True for an error of the system that says that a disk, or what stands for one, is full. */
export function isDiskFull(error: unknown): error is Error {
  return error instanceof Error &&
    (error as { code?: string }).code === "ENOSPC";
}

/** The cause as a sentence, with the operation that found no room. */
export function diskFullCause(action: string, { message }: Error): string {
  const operation = /^.*\(os error \d+\): (.+)$/.exec(message)?.[1];
  return `Cannot ${action}: the disk is full` +
    (operation === undefined ? "" : ` (${operation})`);
}
