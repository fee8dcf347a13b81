/**
 * The way to a cluster, looked at step by step; nothing in the cluster or on this host is changed.
 *
 * 1. The kubeconfig is read.
 * 2. The API server is asked: its version, its time, a question that is larger than a packet.
 * 3. This user's rights are asked for, and the manager is looked for.
 * 4. A session is made with a manager that is ready, as a connection makes it.
 *
 * A step that fails is told, and those that need it are left out.
 */
import { version } from "../../build.ts";
import {
  type ApiClient,
  canI,
  type ClusterAccess,
  openApi,
} from "../../k8s/mod.ts";
import { Ip, Subnet } from "../../net/mod.ts";
import { createIdentity } from "../../tunnel/mod.ts";
import { readHostRoutes } from "../../vpn/mod.ts";
import { askApiServer } from "../cluster/api_server.ts";
import type { ConnectRequest, Failure } from "../api.ts";
import { accessOf } from "../approach.ts";
import { toFailure } from "../errors.ts";
import { lookForManager, type ManagerPresence } from "../cluster/manager.ts";
import { lackingRoutes } from "../network/lacking_routes.ts";
import { reachManager } from "../session/reach.ts";
import { formatRights, lacking, rightsToConnect } from "../cluster/rights.ts";
import { answersSmallQuestion } from "./small_question.ts";
import { WorldView } from "../session/world_view.ts";

/** What a step found, or why it failed. */
export type Found<T> = { value: T } | { failure: Failure };

/** What is absent was not looked at, since a step before it failed. */
export interface ClusterFacts {
  kubeconfig: Found<{ context: string; server: string; namespace: string }>;
  apiServer?: Found<{ version: string; answerMs: number }>;
  /** By how much this laptop's clock is before the API server's. */
  clockLeadMs?: number;
  /** Nothing is answered by TLS, and a few bytes without it are. */
  onlySmallAnswers?: boolean;
  /** A question and an answer of so many bytes. */
  largeQuestion?: Found<{ bytes: number }>;
  /** What this user may not, and needs to connect; a line for each namespace. */
  missingRights?: string[];
  manager?: Found<{ state: ManagerPresence["state"]; namespace: string }>;
  session?: Found<{
    pod: string;
    /** What the manager calls itself, and what this program is. */
    version: string;
    ownVersion: string;
    transport?: string;
    roundTripMs: number;
  }>;
}

/** Several packets, whatever the network's, and less than what any server takes. */
const largeBytes = 16 * 1024;
const largeMs = 10_000;

/** @param options.signal Calls it off: it then rejects with its reason. */
export async function examineCluster(
  request: ConnectRequest,
  { signal }: { signal: AbortSignal },
): Promise<ClusterFacts> {
  const access = await found(() => accessOf(request), signal);
  if (!("value" in access)) return { kubeconfig: access };
  const { context, server, namespace } = access.value;
  const facts: ClusterFacts = {
    kubeconfig: { value: { context, server: server.href, namespace } },
  };
  await using api = openApi(access.value as ClusterAccess);
  facts.apiServer = await found(async () => {
    await askApiServer(api, { signal, tell: () => {} });
    const start = performance.now();
    const { gitVersion } = await api.version({ signal });
    const answerMs = performance.now() - start;
    return { version: gitVersion, answerMs };
  }, signal);
  if (api.clockLeadMs !== undefined) facts.clockLeadMs = api.clockLeadMs;
  if (!("value" in facts.apiServer)) {
    const { kind } = facts.apiServer.failure;
    if (kind !== "api-unreachable") return facts;
    const onlySmallAnswers = await answersSmallQuestion(access.value, {
      signal,
    });
    return { ...facts, onlySmallAnswers };
  }
  facts.largeQuestion = await found(() => askAtLength(api, signal), signal);
  const { managerNamespace } = request;
  const missing = await lacking(api, rightsToConnect(managerNamespace));
  facts.missingRights = formatRights(missing);
  const all = { ...request, signal, tell: () => {} };
  const presence = await found(() => lookForManager(api, all), signal);
  facts.manager = "value" in presence
    ? { value: { state: presence.value.state, namespace: managerNamespace } }
    : presence;
  if (!("value" in presence) || presence.value.state !== "ready") return facts;
  const { ready } = presence.value;
  facts.session = await found(() => greet(api, { ...all, ready }), signal);
  return facts;
}

/** What of these subnets and single addresses this host's routes by `device` do not lead to. All of it is text. */
export async function missingRoutes(
  { device, subnets, addresses }: {
    device: string;
    subnets: readonly string[];
    addresses: readonly string[];
  },
): Promise<string[]> {
  const wanted = {
    subnets: subnets.map(Subnet.parse),
    addresses: addresses.map(Ip.parse),
  };
  const routes = await readHostRoutes();
  return lackingRoutes(wanted, { routes, device }).map(String);
}

/** A right on an object whose name is long comes back with the answer. */
async function askAtLength(
  api: ApiClient,
  signal: AbortSignal,
): Promise<{ bytes: number }> {
  const question = {
    ...{ verb: "get", group: "", resource: "pods", namespace: "default" },
    name: "x".repeat(largeBytes),
  };
  const either = AbortSignal.any([signal, AbortSignal.timeout(largeMs)]);
  await canI(api, question, { signal: either });
  return { bytes: largeBytes };
}

async function greet(
  api: ApiClient,
  options: ConnectRequest & {
    signal: AbortSignal;
    ready: ManagerPresence["ready"];
  },
) {
  await using link = await reachManager(api, {
    ...options,
    ...{ view: new WorldView(), identity: await createIdentity() },
    serve: (incoming) => incoming.refuse("refused", "tp doctor serves nothing"),
  });
  const { pod, product, transport, stats } = link.status();
  return {
    ...{ pod, version: product.slice(product.indexOf("/") + 1) },
    ownVersion: version,
    ...transport === undefined ? {} : { transport },
    roundTripMs: stats.roundTripMs,
  };
}

async function found<T>(
  look: () => Promise<T>,
  signal: AbortSignal,
): Promise<Found<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    signal.throwIfAborted();
    return { failure: toFailure(error) };
  }
}
