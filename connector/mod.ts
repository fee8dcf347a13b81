/**
 * The user's process: holds the connections and answers `tp` commands.
 *
 * 1. It listens on a Unix socket in a directory that only its user can enter.
 * 2. `connect` builds a connection; its progress goes back line by line. All share what is of the host.
 * 3. It ends when the last connection has failed to come about, or was quit, or the host's network has ended.
 */
export {
  install,
  type InstallRequest,
  manifestsText,
} from "./cluster/install.ts";
export {
  type ConnectedPlace,
  uninstall,
  type UninstallRequest,
} from "./cluster/uninstall.ts";
export { type DnsRules, parseDnsSettings } from "./network/dns_settings.ts";
export { ConnectError } from "./failure.ts";
export { openOutbound, type Outbound } from "./outbound/mod.ts";
export { openProxy, type Proxy } from "./proxy/mod.ts";
export { NoInsideError, PublishedPorts, runInside } from "./run/mod.ts";
export {
  type ClusterFacts,
  examineCluster,
  type Found,
  missingRoutes,
} from "./diagnosis/examination.ts";
export {
  type ClusterLogs,
  type ClusterLogsRequest,
  gatherClusterLogs,
} from "./logs/cluster_logs.ts";
export { withoutTokens } from "./logs/pod_text.ts";
import { Connector } from "./connector.ts";
import { toFailure } from "./errors.ts";
import { ConnectError } from "./failure.ts";
import { prepareSocket, removeSocketDirectory } from "./process/socket.ts";

/**
 * Runs until there is nothing left to hold, or `signal` aborts.
 *
 * @throws {ConnectError} when it cannot listen; nothing is left then.
 */
export async function runConnector(
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const connector = new Connector();
  try {
    const server = await listen((request) => connector.answer(request));
    signal.addEventListener("abort", () => connector.end("signal"));
    await connector.ended;
    await server.shutdown();
  } catch (error) {
    connector.end("signal");
    throw new ConnectError(toFailure(error), { cause: error });
  } finally {
    await removeSocketDirectory();
  }
}

async function listen(
  answer: (request: Request) => Promise<Response>,
): Promise<Deno.HttpServer> {
  const path = await prepareSocket();
  const umask = Deno.umask(0o177);
  try {
    return Deno.serve({ path, onListen: () => {} }, answer);
  } finally {
    Deno.umask(umask);
  }
}
