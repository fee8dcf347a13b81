import {
  connectDaemon,
  DaemonAbsentError,
  type DaemonClient,
  waitForDaemon,
} from "../../daemon/client.ts";
import type { ConnectEvent } from "../api.ts";
import { CalledOffError } from "../called_off.ts";

/** How long a user may take to type the password that starts the daemon. */
const patienceMs = 5 * 60_000;
/** How long a daemon may still take to come when who was starting it is gone. */
const orphanMs = 2_000;

/**
 * Holds the daemon. If none runs, it has to be started by who has the user's terminal, and is waited for. When that fails
 * or is called off, no daemon is left that would wait for us.
 *
 * @throws {HeldError | DaemonAbsentError}
 */
export async function holdDaemon(
  { signal, tell }: {
    signal: AbortSignal;
    tell: (event: ConnectEvent) => void;
  },
): Promise<DaemonClient> {
  try {
    return await connectDaemon();
  } catch (error) {
    if (!(error instanceof DaemonAbsentError)) throw error;
  }
  tell({ event: "daemon-needed" });
  try {
    await waitForDaemon({ timeoutMs: patienceMs, signal });
    return await connectDaemon();
  } catch (error) {
    const { reason } = signal;
    const isOrphaned = reason instanceof CalledOffError && reason.by === "loss";
    await endDaemon(isOrphaned ? orphanMs : 0);
    throw error;
  }
}

/** Ends a daemon that nobody holds, or that comes to be within `timeoutMs`. */
async function endDaemon(timeoutMs: number): Promise<void> {
  try {
    await waitForDaemon({ timeoutMs });
    await (await connectDaemon()).close();
  } catch {
    // There is none, or it is somebody else's.
  }
}
