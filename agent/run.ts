/**
 * The agent's life.
 *
 * 1. It reads what its pod tells and takes the ports over; it looks for the copies of the manager meanwhile.
 * 2. Told to leave, it serves on: clients may not know yet. It ends once there was nothing to serve for a while, or when
 *    kubelet's patience nears its end.
 */
import { lookup } from "node:dns/promises";
import { version } from "../build.ts";
import { logger } from "../log.ts";
import { agentPaths, type AgentPort } from "../manager/api.ts";
import { type Clock, pause, Slots, systemClock } from "../net/mod.ts";
import { createIdentity, MemoryBudget } from "../tunnel/mod.ts";
import { App } from "./app.ts";
import { Counters } from "./counters.ts";
import { Fallbacks } from "./fallbacks.ts";
import { Laptops } from "./laptops.ts";
import { dialManager } from "./manager_dial.ts";
import { Managers, type ManagersOptions } from "./managers.ts";
import { PodService } from "./pod_service.ts";
import type { Settings } from "./settings.ts";
import { Trust } from "./trust.ts";
import { TcpPort, type TcpPortOptions } from "./tcp_port.ts";
import { UdpPort } from "./udp_port.ts";

const log = logger("agent");

/** Connections at a time; who comes above is reset. */
const maxConns = 8192;
/** What the bytes of all sessions may take: a quarter of the container's memory, most of it for one stream each. */
const budgetBytes = 64 * 1024 * 1024;
const reservedBytes = 48 * 1024 * 1024;

/** How long there must have been nothing to serve, how long leaving takes at most, and how often it is looked. */
const quietMs = 2_000;
const leavingMs = 25_000;
const lookMs = 250;

export interface RunAgentOptions {
  /** As the webhook tells them. */
  settings: Settings;
  /** Fires when the agent shall leave. */
  signal: AbortSignal;
  clock?: Clock;
  /** Where the pod's files are. */
  paths?: { trust: string; containers: string };
  /** Addresses of a Service, by its name. */
  resolve?: (name: string) => Promise<readonly string[]>;
  /** Where a manager listens. */
  managerPort?: number;
}

/**
 * Runs the agent until the signal fires. Resolves when all is closed.
 *
 * @throws what the system says when a port can not be had.
 */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const { settings, signal, clock = systemClock } = options;
  await using stack = new AsyncDisposableStack();
  const counters = stack.use(new Counters({ clock }));
  const podService = stack.use(
    new PodService({
      containers: settings.containers,
      directory: (options.paths ?? agentPaths).containers,
      findRule: (intercept) => managers.book.find(intercept),
      clock,
    }),
  );
  const managers: Managers = stack.use(
    await openManagers(settings, {
      ...options,
      serve: (incoming) => podService.serve(incoming),
    }),
  );
  const laptops = new Laptops({ managers, counters, clock });
  const fallbacks = new Fallbacks({
    ...{ counters, clock },
    report: (fallback, { manager }) => managers.report(manager, fallback),
  });
  const slots = new Slots(maxConns);
  const udpPorts: UdpPort[] = [];
  for (const port of settings.ports) {
    const address = addressOf(settings, port);
    const { ownAddresses } = settings;
    const app = new App({ port: port.port, ownAddresses, clock });
    const common = {
      ...{ port, app, managers, laptops, counters, fallbacks, clock },
    };
    if (port.protocol === "UDP") {
      const { hostname } = address;
      udpPorts.push(stack.use(await UdpPort.open({ ...common, hostname })));
    } else {
      const listener = Deno.listen(address);
      stack.use(new TcpPort({ ...common, listener, slots, leaving: signal }));
    }
  }
  const { pod, namespace, workload } = settings;
  log.info("ready", { version, pod, namespace, workload: workload.name });
  await fired(signal);
  log.info("leaving", { connections: slots.taken });
  const lastDatagramMs = () =>
    Math.max(-Infinity, ...udpPorts.map(({ lastMs }) => lastMs));
  await untilQuiet({ slots, lastDatagramMs, clock });
  log.info("left", { connections: slots.taken });
}

async function openManagers(
  { manager, anyManager }: Settings,
  options: RunAgentOptions & Pick<ManagersOptions, "serve">,
): Promise<Managers> {
  const { clock = systemClock, paths = agentPaths, managerPort } = options;
  const { serve, resolve = addressesOf } = options;
  const trust = new Trust({
    read: () => Deno.readTextFile(`${paths.trust}/ca.pem`),
  });
  return new Managers({
    identity: await createIdentity(),
    budget: new MemoryBudget(budgetBytes, { reservedBytes }),
    ...{ clock, serve },
    resolve: () => resolve(manager),
    resolveAny: () => resolve(anyManager),
    readToken: async () =>
      (await Deno.readTextFile(`${paths.trust}/token`)).trim(),
    onAuthorities: (told) => trust.tell(told),
    dial: async (address, { signal }) =>
      await dialManager(address, {
        authorities: await trust.authorities(),
        ...managerPort === undefined ? {} : { port: managerPort },
        signal,
      }),
  });
}

/** By the system's resolver: the name is to be completed as the pod's configuration says. */
async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}

/** All addresses of the pod. */
function addressOf({ ownAddresses }: Settings, { agentPort }: AgentPort) {
  const hasIpv6 = ownAddresses.some((ip) => ip.family === 6);
  return { hostname: hasIpv6 ? "::" : "0.0.0.0", port: agentPort };
}

async function untilQuiet(
  { slots, lastDatagramMs, clock }: Pick<TcpPortOptions, "slots" | "clock"> & {
    lastDatagramMs: () => number;
  },
): Promise<void> {
  const { signal } = new AbortController();
  const endMs = clock.now() + leavingMs;
  let busyMs = clock.now();
  while (clock.now() < endMs && clock.now() - busyMs < quietMs) {
    await pause(lookMs, { clock, signal });
    if (slots.taken > 0) busyMs = clock.now();
    busyMs = Math.max(busyMs, lastDatagramMs());
  }
}

function fired(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  return promise;
}
