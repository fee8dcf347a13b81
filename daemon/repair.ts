import { restoreHostResolver } from "../dns/edges/leftover.ts";
import { logger } from "../log.ts";
import { logFilePaths } from "../log_file.ts";
import type { NetworkEdge } from "../vpn/device.ts";
import { openNetworkEdge } from "../vpn/network_edge.ts";
import { readJournal } from "./journal_file.ts";
import { lockDirectory } from "./lock.ts";
import { openSockets } from "./open_sockets.ts";
import {
  beatPath,
  guardPath,
  journalPath,
  logLimits,
  logPath,
  nextJournalPath,
  resolverPlace,
  runDirectory,
  socketPath,
  stateDirectory,
} from "./paths.ts";
import { killGroup, killProcess, stateOf } from "../process/mod.ts";

const log = logger("daemon");

/**
 * Undoes what a daemon left that was killed together with its guard. Needs root. Does nothing while a daemon lives; one
 * that is stopped by a signal is killed. Safe to call at any time.
 */
export async function repairHost(): Promise<void> {
  using sockets = openSockets();
  const journal = await readJournal();
  const state = journal && await stateOf(journal.daemon);
  if (state?.stopped) await killProcess(state);
  using lock = await lockDirectory(sockets, stateDirectory);
  if (lock === undefined) return;
  using network = openNetworkEdge();
  await undoLeftovers(network);
  await removeFiles();
}

/** The steps of {@link repairHost}. The caller holds the lock. */
export async function undoLeftovers(network: NetworkEdge): Promise<void> {
  const journal = await readJournal();
  // The guard of the dead must not undo what a later daemon does.
  if (journal?.guard) await killGroup(journal.guard);
  await restoreHostResolver(resolverPlace);
  if (journal === undefined) return;
  log.warn("undoing what a killed daemon left", { pid: journal.daemon.pid });
  if (journal.device) network.removeDevice(journal.device);
  for (const subnet of journal.unreachable) network.deleteUnreachable(subnet);
  await removeIfThere(journalPath);
}

/** Leaves no file behind. The log goes, too: it is for daemons that did not come to an orderly end. */
export async function removeFiles(): Promise<void> {
  const inRun = [journalPath, nextJournalPath, beatPath, socketPath];
  const inState = [guardPath, ...logFilePaths(logPath, logLimits)];
  for (const path of [...inRun, runDirectory, ...inState, stateDirectory]) {
    await removeIfThere(path);
  }
}

/** A directory that holds what others put there stays. */
async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    const isFine = error instanceof Deno.errors.NotFound ||
      (error as { code?: string }).code === "ENOTEMPTY" ||
      (error as { code?: string }).code === "EBUSY";
    if (!isFine) throw error;
  }
}
