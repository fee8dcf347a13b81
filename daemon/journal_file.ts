import { formatJournal, type Journal, parseJournal } from "./journal.ts";

/** `undefined` when there is none that can be read: nothing has to be undone. */
export async function readJournal(path: string): Promise<Journal | undefined> {
  try {
    return parseJournal(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Replaces the journal: readers see the one before or this one, whole. Everybody may read it. */
export async function writeJournal(
  path: string,
  journal: Journal,
): Promise<void> {
  const next = `${path}.next`;
  await Deno.writeTextFile(next, formatJournal(journal));
  await Deno.chmod(next, 0o644);
  await Deno.rename(next, path);
}
