import { Ip } from "../net/mod.ts";
import { managerPod } from "./api.ts";
import { type DirectEndpoint, parseDirectEndpoint } from "./direct_endpoint.ts";
import { WithheldNames } from "./intercepts/withheld_names.ts";
import { type Exemption, parseExemptions } from "./exemption.ts";

/** What the manifest tells the manager about itself. */
export interface Settings {
  /** Where it lives. */
  readonly namespace: string;
  /** Name of its pod. */
  readonly podName: string;
  /** Addresses of its pod. */
  readonly ownAddresses: readonly Ip[];
  /** `TP_ALLOW`: where it may go although the leash says no. */
  readonly exemptions: readonly Exemption[];
  /** `TP_DIRECT_ENDPOINT`: where laptops reach its direct port, if an admin has seen to that. */
  readonly directEndpoint?: DirectEndpoint;
  /** Of its own container: what agents run, too. */
  readonly image: string;
  /** `TP_EXCLUDE_ENV`: variables of apps that no laptop is given. */
  readonly withheld: WithheldNames;
  /** `TP_INTERCEPT_GRACE_SECONDS`: how long intercepts outlive the last sign of their laptop, if an admin says so. */
  readonly interceptGraceMs?: number;
  /** What its container may hold. */
  readonly memoryLimitBytes: number;
}

/** As in the manifest; for one that does not tell. */
const usualMemoryLimitBytes = 1024 ** 3;

const graceVariable = "TP_INTERCEPT_GRACE_SECONDS";
/** A laptop counts as away after half of the first; nobody waits longer than a week. */
const [shortestGraceSeconds, longestGraceSeconds] = [60, 7 * 86_400];

function parseGraceMs(text: string): number {
  const seconds = Number(text);
  const isTime = /^\d+$/.test(text) && seconds >= shortestGraceSeconds &&
    seconds <= longestGraceSeconds;
  if (isTime) return seconds * 1000;
  throw new SyntaxError(
    `Cannot start the manager: ${graceVariable} "${text}" is no number from ${shortestGraceSeconds} to ${longestGraceSeconds}`,
  );
}

/**
 * Reads the environment that {@link managerManifests} sets.
 *
 * @throws {TypeError} when something is missing.
 * @throws {SyntaxError} when something can not be read.
 */
export function readSettings(env: Record<string, string>): Settings {
  const namespace = env.POD_NAMESPACE;
  const addresses = env.POD_IPS;
  const direct = env.TP_DIRECT_ENDPOINT;
  const grace = env[graceVariable];
  if (!namespace || !addresses) {
    const name = namespace ? "POD_IPS" : "POD_NAMESPACE";
    throw new TypeError(`Cannot start the manager: ${name} is not set`);
  }
  return {
    namespace,
    // The kubelet gives a pod its name as that of its host.
    podName: env.HOSTNAME || managerPod(0),
    ownAddresses: addresses.split(",").map((text) => Ip.parse(text.trim())),
    exemptions: parseExemptions(env.TP_ALLOW ?? ""),
    ...direct ? { directEndpoint: parseDirectEndpoint(direct) } : {},
    ...grace ? { interceptGraceMs: parseGraceMs(grace) } : {},
    image: env.TP_IMAGE ?? "",
    withheld: WithheldNames.parse(env.TP_EXCLUDE_ENV ?? ""),
    memoryLimitBytes: Number(env.MEMORY_LIMIT) || usualMemoryLimitBytes,
  };
}
