import { formatJournal, type Journal, parseJournal } from "./journal.ts";
import { journalPath, nextJournalPath } from "./paths.ts";

/** `undefined` when there is none that can be read: nothing has to be undone. */
export async function readJournal(): Promise<Journal | undefined> {
  try {
    return parseJournal(await Deno.readTextFile(journalPath));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Replaces the journal: readers see the one before or this one, whole. Everybody may read it. */
export async function writeJournal(journal: Journal): Promise<void> {
  await Deno.writeTextFile(nextJournalPath, formatJournal(journal));
  await Deno.chmod(nextJournalPath, 0o644);
  await Deno.rename(nextJournalPath, journalPath);
}
