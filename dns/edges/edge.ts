/** The host's resolver as the daemon may change it: the privileged edge as an interface. */
import type { Ip } from "../../net/mod.ts";
import type { EdgeChoice } from "./choose_edge.ts";

/** What the host's resolver is to do. */
export interface ResolverPlan {
  /** Ours. It is on the device. */
  readonly nameserver: Ip;
  readonly device: { readonly name: string; readonly index: number };
  /**
   * What a resolver that can split asks ours, most wanted first, without final dots; one that cannot asks ours everything.
   */
  readonly zones: readonly string[];
  /** Domains that a resolver that can split tries short names in, and asks ours. */
  readonly search: readonly string[];
}

export interface ResolverEdge {
  /**
   * Puts our nameserver before the host's own. What was there is kept first, so that {@link ResolverEdge.restore} and a
   * later process can bring it back. Applied again with another plan, it replaces the first.
   *
   * @throws {ResolverError} and changes nothing.
   */
  apply(plan: ResolverPlan): Promise<void>;
  /** Brings back what was there, byte for byte, unless somebody else has written it meanwhile. Safe to repeat. */
  restore(): Promise<void>;
  /**
   * Call about once a second: when somebody else has written the host's settings, theirs are taken as the host's own and
   * ours are applied to them.
   *
   * @throws {ResolverError} when that failed; the next call tries again.
   */
  follow(): Promise<void>;
  /** The host's own nameservers, without ours. */
  nameservers(): Promise<readonly Ip[]>;
}

/** One that chooses among edges. */
export interface ChoosingEdge extends ResolverEdge {
  /** The edge that holds our settings, and why; `undefined` while none does. */
  readonly choice: EdgeChoice | undefined;
}

/** Why the host's resolver was not changed: a closed list, since it crosses to the connector. */
export const resolverFailures = [
  "resolver-missing",
  "resolver-unwritable",
  "disk-full",
] as const;
export type ResolverFailure = typeof resolverFailures[number];

export class ResolverError extends Error {
  override readonly name = "ResolverError";
  readonly failure: ResolverFailure;

  constructor(
    failure: ResolverFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.failure = failure;
  }
}
