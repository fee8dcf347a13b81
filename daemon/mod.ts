/**
 * The root process on the laptop.
 *
 * 1. It takes the lock, undoes what a killed one left, and starts its guard before it changes anything.
 * 2. It serves one connector: device, routes, resolver.
 * 3. When the connector ends, it undoes everything and ends.
 */
import { HostEdge } from "../dns/edges/mod.ts";
import { logger, setLogSink } from "../log.ts";
import { LogFile } from "../log_file.ts";
import { Subnet, systemClock } from "../net/mod.ts";
import { openNetworkEdge } from "../vpn/network_edge.ts";
import { Guard } from "./guard.ts";
import { type Changes, Host } from "./host.ts";
import { writeJournal } from "./journal_file.ts";
import { lockDirectory } from "./lock.ts";
import { openSockets } from "./open_sockets.ts";
import {
  beatPath,
  guardPath,
  logLimits,
  logPath,
  resolvConfPaths,
  resolverDirectory,
  resolverPlace,
  runDirectory,
  socketPath,
  stateDirectory,
} from "./paths.ts";
import { processState } from "../process/mod.ts";
import { removeFiles, undoLeftovers } from "./repair.ts";
import { ResolverKeeper } from "./resolver_keeper.ts";
import { Server } from "./server.ts";
import type { MessageListener, Sockets } from "./sockets.ts";

export { repairHost } from "./repair.ts";
export { installService, ServiceError, uninstallService } from "./service.ts";

const log = logger("daemon");

/** How long a daemon that is about to end may keep the lock. */
const lockMs = 3_000;

/** Why the daemon did not start, as one sentence. */
export class DaemonStartError extends Error {
  override readonly name = "DaemonStartError";
}

export interface DaemonOptions {
  /** The user whose connector is served; root's is, too. Without it systemd has to have handed over a socket. */
  uid?: number;
  /** Called when connectors can connect. */
  onListen?: () => void;
}

/**
 * Runs until the connector has ended, none has come within 30 s, or the process is told to end (SIGTERM, SIGINT, SIGHUP).
 * The host is then as it was, and the caller exits: the connector reads end-of-file when the process is gone. Needs root and
 * trusts nothing of its caller: directory, umask, environment.
 *
 * @throws {DaemonStartError} and has changed nothing.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  requireRoot();
  Deno.chdir("/");
  Deno.umask(0o077);
  await using stack = new AsyncDisposableStack();
  const sockets = stack.use(openSockets());
  const { uid } = options;
  const handedOver = uid === undefined
    ? handedOverListener(sockets)
    : undefined;
  try {
    await serve(stack, { ...options, sockets, handedOver });
  } catch (error) {
    // Otherwise systemd would start the next one for the same who wait.
    handedOver?.turnAllAway();
    throw error;
  }
}

async function serve(
  stack: AsyncDisposableStack,
  { sockets, handedOver, uid, onListen }: DaemonOptions & {
    sockets: Sockets;
    handedOver: MessageListener | undefined;
  },
): Promise<void> {
  stack.use(await waitForLock(sockets));
  stack.use(logToFile());
  const network = stack.use(openNetworkEdge());
  await undoLeftovers(network);
  await makeRunDirectory();

  const daemon = (await processState(Deno.pid))!;
  const guard = await Guard.start({ script: guardPath, runDirectory, daemon });
  stack.defer(() => guard.stop());
  let changes: Changes = { unreachable: [] };
  const record = async (next: Changes) => {
    changes = next;
    const journal = { daemon, guard: guard.id, resolver: resolverPlace };
    await writeJournal({ ...journal, ...changes });
  };
  await record(changes);

  const clock = systemClock;
  const edge = new HostEdge({
    paths: resolvConfPaths,
    directory: resolverDirectory,
  });
  const resolver = new ResolverKeeper({
    ...{ edge, clock },
    block: (ip) => network.addUnreachable(new Subnet(ip, ip.bits)),
    unblock: (ip) => network.deleteUnreachable(new Subnet(ip, ip.bits)),
  });
  const host = new Host({ network, resolver, clock, record });
  const ending = stack.use(untilTold());
  stack.defer(async () => {
    const errors = await host.undo();
    for (const error of errors) log.error("not undone", { error });
    // What could not be undone stays in the journal: the next tp command finds it.
    if (errors.length === 0) await removeFiles();
  });
  const listener = handedOver ??
    stack.use(sockets.bind(socketPath));
  const server = new Server({
    ...{ sockets, listener, host, resolver, clock },
    ...uid === undefined ? {} : { uid },
    signal: ending.signal,
    everyTurn: async () => {
      await Deno.writeTextFile(beatPath, `${Math.round(clock.now())}\n`);
      if (await guard.check()) await record(changes);
    },
  });
  log.info("listening", { uid });
  onListen?.();
  await server.run();
}

/** The one socket that systemd listens on in our stead (sd_listen_fds(3)). It stays open: the caller exits. */
function handedOverListener(sockets: Sockets): MessageListener {
  const isForUs = Deno.env.get("LISTEN_PID") === String(Deno.pid) &&
    Deno.env.get("LISTEN_FDS") === "1";
  if (!isForUs) {
    throw new DaemonStartError(
      "Cannot start the daemon: it was given neither a user nor a socket",
    );
  }
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) {
    Deno.env.delete(name);
  }
  return sockets.adopt(3);
}

function requireRoot(): void {
  if (!["linux", "darwin"].includes(Deno.build.os)) {
    throw new DaemonStartError(
      `Cannot start the daemon: ${Deno.build.os} is not supported`,
    );
  }
  if (Deno.uid() !== 0) {
    throw new DaemonStartError("Cannot start the daemon: it needs root");
  }
}

async function waitForLock(sockets: Sockets): Promise<Disposable> {
  for (
    const giveUpAt = performance.now() + lockMs;
    performance.now() < giveUpAt;
  ) {
    const lock = await lockDirectory(sockets, stateDirectory);
    if (lock !== undefined) return lock;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new DaemonStartError("Cannot start the daemon: it runs already");
}

async function makeRunDirectory(): Promise<void> {
  await Deno.mkdir(runDirectory, { recursive: true });
  await Deno.chmod(runDirectory, 0o755);
  await Deno.remove(socketPath).catch(() => {});
}

function logToFile(): Disposable {
  const file = new LogFile(logPath, logLimits);
  setLogSink((line) => file.write(line));
  return {
    [Symbol.dispose]: () => {
      setLogSink(() => {});
      file[Symbol.dispose]();
    },
  };
}

/** A signal that aborts when the process is told to end. */
function untilTold(): Disposable & { signal: AbortSignal } {
  const abort = new AbortController();
  const end = () => abort.abort();
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
  for (const name of signals) Deno.addSignalListener(name, end);
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => {
      for (const name of signals) Deno.removeSignalListener(name, end);
    },
  };
}
