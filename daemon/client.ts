/** What the connector and the commands use of the daemon. Needs no privilege. */
import { daemonSocketPath, serviceSocketPath } from "./api.ts";
import {
  connectSocket,
  DaemonAbsentError,
  DaemonClient,
} from "./daemon_client.ts";
import { openSockets } from "./open_sockets.ts";

export { daemonSocketPath } from "./api.ts";
export {
  DaemonAbsentError,
  DaemonClient,
  type DaemonEnd,
  DaemonRefusalError,
  HeldError,
} from "./daemon_client.ts";
export type { ResolverState } from "./resolver_wish.ts";
export {
  logLimits as daemonLogLimits,
  logPath as daemonLogPath,
} from "./paths.ts";
export { leftover } from "./leftover.ts";
export { type ServiceState, serviceState } from "./service_state.ts";
export { type RefusalCode, refusalCodes } from "./refusal.ts";
export type { DeviceInfo, DevicePlan, TunSubnet } from "../vpn/device.ts";

const lookMs = 50;

/**
 * Holds the daemon, one that runs or the host's service: from here on it ends when this process ends or closes it.
 *
 * @throws {DaemonAbsentError | HeldError}
 */
export async function connectDaemon(
  { socketPath }: { socketPath?: string } = {},
): Promise<DaemonClient> {
  if (socketPath !== undefined) return await DaemonClient.connect(socketPath);
  try {
    return await DaemonClient.connect(daemonSocketPath);
  } catch (error) {
    if (!(error instanceof DaemonAbsentError)) throw error;
    return await DaemonClient.connect(serviceSocketPath);
  }
}

/** Has the host's service start, which undoes what a killed daemon left. Returns false where this user has none. */
export function wakeService(): boolean {
  using sockets = openSockets();
  try {
    connectSocket(sockets, serviceSocketPath)[Symbol.dispose]();
    return true;
  } catch (error) {
    if (!(error instanceof DaemonAbsentError)) throw error;
    return false;
  }
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
  using sockets = openSockets();
  for (const giveUpAt = performance.now() + timeoutMs;;) {
    signal?.throwIfAborted();
    try {
      connectSocket(sockets, socketPath)[Symbol.dispose]();
      return;
    } catch (error) {
      if (!(error instanceof DaemonAbsentError)) throw error;
      if (performance.now() >= giveUpAt) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
