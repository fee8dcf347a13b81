/**
 * The manager's life.
 *
 * 1. It learns what it is (environment, `/etc/resolv.conf`) and begins to watch the cluster.
 * 2. It makes or learns the certificate authority, begins to watch what is intercepted, and answers the API server which
 *    pods are to have an agent.
 * 3. Once it knows what its leash must know, it opens its doors, to laptops and to agents, and is ready.
 * 4. Told to leave, it shuts the doors and tells laptops and agents, which turn to another copy; it lets what runs end by itself for
 *    a while, and takes leave of every session.
 */
import { product, version } from "../build.ts";
import {
  type ApiClient,
  ApiError,
  type ClusterAccess,
  inClusterAccess,
  openApi,
  resources,
} from "../k8s/mod.ts";
import { logger } from "../log.ts";
import { type Endpoint, Ip, systemClock } from "../net/mod.ts";
import { agentPort, managerTlsName } from "./agent_api.ts";
import {
  clientPort,
  directPort,
  probePort,
  webhookPort,
  webhookServiceName,
} from "./api.ts";
import { Authority } from "./authority.ts";
import { AuthoritySecret, trustAuthorities } from "./authority_secret.ts";
import { BoundedLog } from "./bounded_log.ts";
import { ClusterDns } from "./cluster_dns.ts";
import { ClusterView } from "./cluster_view.ts";
import { DirectDoor } from "./direct_door.ts";
import type { DirectOffer } from "./direct_offer.ts";
import { Doorway } from "./doorway.ts";
import { Feed } from "./feed.ts";
import { AgentDoor } from "./intercepts/agent_door.ts";
import { Interception } from "./intercepts/interception.ts";
import { LaptopAudit } from "./laptop_audit.ts";
import { whyForbidden } from "./leash.ts";
import { NamespaceAddresses } from "./namespace_addresses.ts";
import { NamespaceView } from "./namespace_view.ts";
import { parsePodResolvConf } from "./pod_resolv_conf.ts";
import { Probes } from "./probes.ts";
import { Service } from "./service.ts";
import { agentsBudget, sharedBudget } from "./session_budget.ts";
import { askServiceRanges, type TryService } from "./service_range.ts";
import type { Settings } from "./settings.ts";
import { Webhook } from "./webhook.ts";
import type { World } from "./world.ts";

const log = logger("manager");
const clock = systemClock;

/** How long streams may take to end by themselves; less than the pod's grace period. */
const drainMs = 5_000;

export interface RunManagerOptions {
  /** As the manifest tells them. */
  settings: Settings;
  /** Tells how a pod reaches the API server. */
  env: Record<string, string>;
  /** Fires when the manager shall leave. */
  signal: AbortSignal;
  /** How to reach the API server. In a pod, its own way, when absent. */
  access?: ClusterAccess;
  /** Text of the pod's `/etc/resolv.conf`. Read when absent. */
  resolvConf?: string;
}

/** Runs the manager until the signal fires. Resolves when all is closed. */
export async function runManager(options: RunManagerOptions): Promise<void> {
  const { settings, env, signal } = options;
  const resolvConf = parsePodResolvConf(
    options.resolvConf ?? await Deno.readTextFile("/etc/resolv.conf"),
  );
  await using api = openApi(options.access ?? await inClusterAccess({ env }), {
    userAgent: `${product} manager`,
  });
  const world = new Feed<World>();
  await using view = new ClusterView({
    watch: (resource, options) => api.watch(resource, options),
    askServiceRanges: () =>
      askServiceRanges(tryServiceBy(api, settings.namespace)),
    self: { settings, resolvConf, version },
    world,
    clock,
  });
  await using _probes = new Probes({
    listener: Deno.listen(addressOf(settings.ownAddresses, probePort)),
    isReady: () => world.value !== undefined && !signal.aborted,
    clock,
  });
  await using addresses = new NamespaceAddresses({
    watch: (resource, options) => api.watch(resource, options),
    clock,
  });
  for await (const _first of world.follow({ signal })) break;
  if (signal.aborted) return;

  await using authority = new Authority({
    store: new AuthoritySecret(api, settings),
    makeTrusted: (bundle) =>
      trustAuthorities(api, { namespace: settings.namespace, bundle }),
    clock,
  });
  await using interception = new Interception({
    ...{ api, settings, clock },
    lineOf: () => authority.line,
    authorities: () => authority.bundles.value,
  });
  const { namespace } = settings;
  await using _webhook = new Webhook({
    address: addressOf(settings.ownAddresses, webhookPort),
    certificates: authority.certificates(
      `${webhookServiceName}.${namespace}.svc`,
    ),
    agentOf: (pod, asked) => interception.agentOf(pod, asked),
    injection: () => interception.injection(authority.bundles.value),
    clock,
  });
  const { nameservers } = resolvConf;
  const { directEndpoint } = settings;
  const direct = directEndpoint && new Feed<DirectOffer>();
  const audit = new LaptopAudit({
    log: new BoundedLog(log, clock),
    usersOf: (thumbprint) => interception.usersOf(thumbprint),
  });
  await using service = new Service({
    dns: new ClusterDns({ nameservers, clock }),
    world,
    worldOf: (namespaces) =>
      new NamespaceView(namespaces, { world, addresses }),
    direct,
    whyForbidden: (to: Endpoint) => whyForbidden(to, view.leashFacts),
    servePod: (...asked) => interception.relay.servePod(...asked),
    onForbidden: (wish) => audit.forbid(wish),
    clock,
  });
  const budget = sharedBudget(settings.memoryLimitBytes);
  await using doorway = new Doorway({
    listener: Deno.listen({ hostname: "127.0.0.1", port: clientPort }),
    welcome: (session) => {
      interception.laptops.add(session);
      return (incoming) => service.serve(incoming, session);
    },
    onCarrier: () => interception.laptops.wake(),
    ...{ budget, clock },
  });
  await using agentDoor = new AgentDoor({
    address: addressOf(settings.ownAddresses, agentPort),
    certificates: authority.certificates(managerTlsName),
    welcome: (session, guest) => interception.welcomeAgent(session, guest),
    budget: agentsBudget(budget),
    clock,
  });
  await using directDoor = directEndpoint && direct &&
    await DirectDoor.open({
      ...{ endpoint: directEndpoint, offers: direct, clock },
      address: addressOf(settings.ownAddresses, directPort),
      take: (conn) => doorway.takeShortcut(conn),
    });
  log.info("ready", { version, nameservers, directEndpoint });
  await aborted(signal);
  log.info("leaving", { sessions: doorway.sessions });
  directDoor?.shut();
  doorway.shut();
  agentDoor.shut();
  await withinDrainTime(Promise.all([service.drain(), interception.drain()]));
}

/** All addresses of the pod: the kubelet chooses which it asks, and laptops may come by each. */
function addressOf(own: readonly Ip[], port: number) {
  const hostname = own.some((ip) => ip.family === 6) ? "::" : "0.0.0.0";
  return { hostname, port };
}

function tryServiceBy(api: ApiClient, namespace: string): TryService {
  return async ({ clusterIP, ipFamily }) => {
    try {
      await api.create(resources.services, {
        metadata: { generateName: "tp-range-", namespace },
        spec: { clusterIP, ipFamilies: [ipFamily], ports: [{ port: 1 }] },
      }, { dryRun: true });
      return "";
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) {
        return error.detail;
      }
      throw error;
    }
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  return promise;
}

async function withinDrainTime(work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const callOff = clock.after(drainMs, late.resolve);
  await Promise.race([work, late.promise]);
  callOff();
}
