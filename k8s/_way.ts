/** What the ways to a port inside a pod have in common. */
import type { Conn } from "../net/mod.ts";
import type { Requests } from "./_requests.ts";

export interface PortForwardOptions {
  namespace: string;
  pod: string;
  port: number;
  /** What to run in the pod where ports cannot be forwarded; without it nothing is run. */
  bridge?: Bridge;
  /**
   * The app on the port speaks first, so the flow is open when its first byte is there: that nobody listens, or nothing
   * comes through, shows while another way can still be tried.
   */
  speaksFirst?: boolean;
  /** Calls the opening off. The flow, once open, is ended by closing it. */
  signal?: AbortSignal;
}

/**
 * A command that joins its standard streams to the port, inside the pod: says {@link bridgeReady} once it is connected;
 * or on standard error why it is not, and fails.
 */
export interface Bridge {
  container: string;
  command: string[];
}

/** What a {@link Bridge} says before all that comes from the port. */
export const bridgeReady = "ready\n";

export type Target = Pick<
  PortForwardOptions,
  "namespace" | "pod" | "port" | "bridge"
>;

/** Best first; the order in which they are tried. */
export const portForwardWays = [
  "spdy-websocket",
  "spdy",
  "channel",
  "kubectl",
  "exec",
] as const;
/** How the bytes travel to the pod. */
export type PortForwardWay = typeof portForwardWays[number];

export interface Way {
  /**
   * Opens the flow. When `signal` aborts nothing is left behind.
   *
   * @throws {ApiError | RefusedError | ObstacleError | ConnResetError | CredentialError}
   */
  open(
    requests: Requests,
    target: Target,
    signal: AbortSignal,
  ): Promise<Conn>;
}
