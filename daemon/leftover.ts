import { holdsHostResolver } from "../dns/edges/leftover.ts";
import type { Journal } from "./journal.ts";
import { readJournal } from "./journal_file.ts";
import { resolverPlace } from "./paths.ts";
import { seesAll, stateOf } from "../process/mod.ts";

/** How long a guard may take to undo: it looks every 0.4 s. */
const guardMs = 2_000;
const lookMs = 50;

/**
 * Whether a daemon was killed on this host and left something that its guard does not undo. Needs no privilege; reads two
 * small files. Waits for a guard that is at work.
 */
export async function leftover(): Promise<boolean> {
  for (let waitedMs = 0;; waitedMs += lookMs) {
    const journal = await readJournal();
    if (journal === undefined) {
      return await holdsHostResolver(resolverPlace);
    }
    if (await lives(journal.daemon)) return false;
    const isGuarded = journal.guard && await lives(journal.guard);
    if (!isGuarded || waitedMs >= guardMs) return true;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** On a host that hides processes from users, the daemon is believed to live. */
async function lives(process: Journal["daemon"]): Promise<boolean> {
  const state = await stateOf(process);
  if (state !== undefined) return !state.stopped;
  return !await seesAll();
}
