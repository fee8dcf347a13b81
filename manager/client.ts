/** What the manager does for those who have a session with it. */
import {
  type Conn,
  type Datagrams,
  type Endpoint,
  type Ip,
  linesOf,
  RefusedError,
} from "../net/mod.ts";
import type { Session } from "../tunnel/mod.ts";
import { type DirectOffer, parseDirectOffer } from "./direct_offer.ts";
import type { PodWish } from "./agent_api.ts";
import type { LogWish } from "./log_wish.ts";
import { encodeTarget, type Target } from "./target.ts";
import { parseWorld, type World } from "./world.ts";

export {
  type DirectEndpoint,
  formatDirectEndpoint,
  parseDirectEndpoint,
} from "./direct_endpoint.ts";
export {
  type DirectServiceType,
  type Manifest,
  type ManifestOptions,
} from "./manifest.ts";
export {
  removeAgent,
  type RemoveAgentOptions,
} from "./intercepts/rollout_effects.ts";
export { installedExcludeEnv, managerManifests } from "./manifests.ts";
export { WithheldNames } from "./intercepts/withheld_names.ts";
export { agentPolicyName } from "./manifest_agent_policies.ts";
export { noGlobalPolicyName } from "./manifest_global_policy.ts";
export { agents, intercepts } from "./own_resources.ts";
export {
  type AppWorkload,
  controllerOf,
  formatWorkload,
  whyNoPods,
  whyUnsupported,
  workloadNamedBy,
  workloadResource,
} from "./intercepts/workload_kind.ts";

/** The longest line about the cluster that is read: some hundred thousand namespaces. */
const maxWorldLength = 16 * 1024 * 1024;
const maxAnswerBytes = 65_535;
/** Room for most answers; longer ones get as much as any needs. */
const usualAnswerBytes = 1_024;
const dnsPort = 53;

/** The manager at the other end of a session. Every call rejects with RefusedError when the manager does not do it. */
export interface Manager {
  /** A TCP connection from the cluster to `ip`. */
  dial(
    ip: Ip,
    port: number,
    options?: { signal?: AbortSignal },
  ): Promise<Conn>;
  /**
   * A UDP flow from the cluster to `ip`. All of one `source`, which is of that family, come from one port; who else sends to
   * it is a stream that the manager opens (`UdpTarget`).
   */
  dialDatagrams(
    ip: Ip,
    port: number,
    options?: { signal?: AbortSignal; source?: Endpoint },
  ): Promise<Datagrams>;
  /** Requests and replies of ICMP echo (`net/packet/echo.ts`) between the cluster and `ip`. */
  dialEchoes(ip: Ip, options?: { signal?: AbortSignal }): Promise<Datagrams>;
  /** Asks the cluster's DNS one raw DNS message. */
  lookup(
    query: Uint8Array,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array>;
  /**
   * The manager's view of the cluster, or of some namespaces alone, then each later one. It ends when the signal fires.
   *
   * @throws {ConnResetError} when the session ends.
   */
  world(options?: WorldOptions): AsyncGenerator<World>;
  /**
   * Where carriers can join this session directly, then each later place. It ends when the signal fires, at once where the
   * manager has no such place.
   *
   * @throws {ConnResetError} when the session ends.
   */
  direct(options?: { signal?: AbortSignal }): AsyncGenerator<DirectOffer>;
  /** Has the manager's copy log so much for so long. */
  log(
    wish: Omit<LogWish, "kind">,
    options?: { signal?: AbortSignal },
  ): Promise<void>;
  /** Something of a pod of the workload that this session's `intercept` (its UID) is on; SFTP for `files`. */
  pod(
    intercept: string,
    wanted: PodWish,
    options?: { signal?: AbortSignal },
  ): Promise<Conn>;
  /** As {@link Manager.pod}, for a UDP port. */
  podDatagrams(
    intercept: string,
    wanted: PodWish,
    options?: { signal?: AbortSignal },
  ): Promise<Datagrams>;
}

interface WorldOptions {
  signal?: AbortSignal | undefined;
  /** All when absent. */
  namespaces?: readonly string[] | undefined;
}

export function openManager(session: Session): Manager {
  let knowsSources = true;
  const openDatagrams = (target: Target, options?: { signal?: AbortSignal }) =>
    session.openDatagrams(encodeTarget(target), options);
  return {
    dial: (ip, port, options) =>
      session.open(encodeTarget({ kind: "tcp", ip, port }), options),
    dialDatagrams: async (ip, port, { source, ...options } = {}) => {
      const target = { kind: "udp", ip, port } as const;
      // Who asks DNS wants an answer of whom it asked, and nothing more.
      if (source && port !== dnsPort && knowsSources) {
        try {
          return await openDatagrams({ ...target, source }, options);
        } catch (error) {
          if (!isUnknownTarget(error)) throw error;
          // A manager of an earlier release.
          knowsSources = false;
        }
      }
      return await openDatagrams(target, options);
    },
    dialEchoes: (ip, options) => openDatagrams({ kind: "echo", ip }, options),
    lookup: (query, options) => lookup(session, query, options),
    world: (options) => followWorld(session, options),
    direct: (options) => followDirect(session, options),
    log: async (wish, options) => {
      const target = encodeTarget({ kind: "log", ...wish });
      const stream = await session.open(target, { ...options, urgent: true });
      using _closed = closeOnAbort(stream, options?.signal);
      await stream.read(new Uint8Array(1));
    },
    pod: (intercept, wanted, options) =>
      session.open(encodeTarget({ kind: "pod", intercept, wanted }), options),
    podDatagrams: (intercept, wanted, options) =>
      openDatagrams({ kind: "pod", intercept, wanted }, options),
  };
}

function isUnknownTarget(error: unknown): boolean {
  return error instanceof RefusedError && error.refusal === "unknown-target";
}

async function lookup(
  session: Session,
  query: Uint8Array,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const target = encodeTarget({ kind: "lookup", query });
  const options = signal ? { signal } : {};
  const stream = await session.open(target, { ...options, urgent: true });
  using _closed = closeOnAbort(stream, signal);
  let bytes = new Uint8Array(usualAnswerBytes);
  let length = 0;
  while (length < maxAnswerBytes) {
    const read = await stream.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
    if (length < bytes.length) continue;
    const whole = new Uint8Array(maxAnswerBytes);
    whole.set(bytes);
    bytes = whole;
  }
  return bytes.slice(0, length);
}

async function* followWorld(
  session: Session,
  { namespaces, signal }: WorldOptions = {},
): AsyncGenerator<World> {
  let world: World | undefined;
  const kind = "world";
  const target = namespaces ? { kind, namespaces } as const : { kind } as const;
  for await (const line of followLines(session, target, signal)) {
    world = parseWorld(line, world);
    yield world;
  }
}

async function* followDirect(
  session: Session,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<DirectOffer> {
  try {
    const lines = followLines(session, { kind: "direct" }, options.signal);
    for await (const line of lines) yield parseDirectOffer(line);
  } catch (error) {
    // No such place, or a manager that knows of none.
    if (!(error instanceof RefusedError)) throw error;
  }
}

/** The lines of a stream that goes on until the signal fires. */
async function* followLines(
  session: Session,
  target: Target & { kind: "world" | "direct" },
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const options = signal ? { signal } : {};
  const stream = await session.open(encodeTarget(target), {
    ...{ ...options, urgent: true },
  });
  using _closed = closeOnAbort(stream, signal);
  try {
    yield* linesOf(stream, { maxLength: maxWorldLength });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** Closes `stream` when the signal fires, and at the end of the scope. */
function closeOnAbort(stream: Conn, signal?: AbortSignal): Disposable {
  const close = () => stream.close();
  signal?.addEventListener("abort", close, { once: true });
  if (signal?.aborted) close();
  return {
    [Symbol.dispose]() {
      signal?.removeEventListener("abort", close);
      close();
    },
  };
}
