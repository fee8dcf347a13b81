/** What the connector and the commands use of the daemon. Needs no privilege. */
import { Libc } from "./_libc_linux.ts";
import { daemonSocketPath } from "./api.ts";
import {
  connectSocket,
  DaemonAbsentError,
  DaemonClient,
} from "./daemon_client.ts";

export { daemonSocketPath } from "./api.ts";
export {
  DaemonAbsentError,
  DaemonClient,
  type DaemonEnd,
  DaemonRefusalError,
  HeldError,
} from "./daemon_client.ts";
export {
  logLimits as daemonLogLimits,
  logPath as daemonLogPath,
} from "./paths.ts";
export { leftover } from "./leftover.ts";
export { type RefusalCode, refusalCodes } from "./refusal.ts";
export type { DeviceInfo, DevicePlan, TunSubnet } from "../vpn/device.ts";

const lookMs = 50;

/**
 * Holds the daemon: from here on it ends when this process ends or closes it.
 *
 * @throws {DaemonAbsentError | HeldError}
 */
export function connectDaemon(
  { socketPath = daemonSocketPath }: { socketPath?: string } = {},
): Promise<DaemonClient> {
  return DaemonClient.connect(socketPath);
}

/**
 * Resolves when a daemon listens, without holding it.
 *
 * @throws {DaemonAbsentError} when none does within `timeoutMs`; the reason of `signal` when that aborts.
 */
export async function waitForDaemon(
  { timeoutMs, socketPath = daemonSocketPath, signal }: {
    timeoutMs: number;
    socketPath?: string;
    signal?: AbortSignal;
  },
): Promise<void> {
  using libc = new Libc();
  for (const giveUpAt = performance.now() + timeoutMs;;) {
    signal?.throwIfAborted();
    try {
      connectSocket(libc, socketPath)[Symbol.dispose]();
      return;
    } catch (error) {
      if (!(error instanceof DaemonAbsentError)) throw error;
      if (performance.now() >= giveUpAt) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
