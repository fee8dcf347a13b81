import { Ip } from "../net/mod.ts";
import { type DirectEndpoint, parseDirectEndpoint } from "./direct_endpoint.ts";
import { type Exemption, parseExemptions } from "./exemption.ts";

/** What the manifest tells the manager about itself. */
export interface Settings {
  /** Where it lives. */
  readonly namespace: string;
  /** Addresses of its pod. */
  readonly ownAddresses: readonly Ip[];
  /** `TP_ALLOW`: where it may go although the leash says no. */
  readonly exemptions: readonly Exemption[];
  /** `TP_DIRECT_ENDPOINT`: where laptops reach its direct port, if an admin has seen to that. */
  readonly directEndpoint?: DirectEndpoint;
  /** What its container may hold. */
  readonly memoryLimitBytes: number;
}

/** As in the manifest; for one that does not tell. */
const usualMemoryLimitBytes = 1024 ** 3;

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
  if (!namespace || !addresses) {
    const name = namespace ? "POD_IPS" : "POD_NAMESPACE";
    throw new TypeError(`Cannot start the manager: ${name} is not set`);
  }
  return {
    namespace,
    ownAddresses: addresses.split(",").map((text) => Ip.parse(text.trim())),
    exemptions: parseExemptions(env.TP_ALLOW ?? ""),
    ...direct ? { directEndpoint: parseDirectEndpoint(direct) } : {},
    memoryLimitBytes: Number(env.MEMORY_LIMIT) || usualMemoryLimitBytes,
  };
}
