/** Which way to a pod is worth trying after others have failed. Pure. */
import { ConnResetError, RefusedError } from "../net/mod.ts";
import type { PortForwardWay } from "./_way.ts";
import { ApiError } from "./api_error.ts";
import { ObstacleError } from "./unreachable.ts";

/** What became of the ways that were tried, in that order. */
export type Failures = Map<PortForwardWay, unknown>;

export function mayHelp(way: PortForwardWay, failures: Failures): boolean {
  return failures.entries().every(([failed, error]) =>
    survives(way, { failed, error })
  );
}

/** Whether `way` may succeed although another failed so. */
function survives(
  way: PortForwardWay,
  { failed, error }: { failed: PortForwardWay; error: unknown },
): boolean {
  // What kubectl says of itself, and the rights to run a command, are no matter of the other ways.
  if (failed === "kubectl") return true;
  if (error instanceof RefusedError) {
    // The port, as whoever forwards sees it; a command in the pod may see another.
    return failed === "exec" || way === "exec";
  }
  if (error instanceof ApiError) {
    if (error.status === 401 || error.reason === "NotFound") return false;
    if (isBusy(error)) return false;
    if (error.reason !== "Forbidden" || failed === "exec") return true;
    return way === "exec" || hasOtherVerb(way, error.verb);
  }
  if (error instanceof ObstacleError) {
    const { kind } = error.obstacle;
    return kind === "protocol" || kind === "reset";
  }
  return error instanceof ConnResetError;
}

/** The API server itself has too much to do: another way is more of it. */
function isBusy({ status, reason }: ApiError): boolean {
  return status === 429 || reason === "ServiceUnavailable";
}

/** A WebSocket needs the verb `get`, the bare upgrade `create`, and rights are often given for one of them. */
function hasOtherVerb(way: PortForwardWay, verb: string): boolean {
  return way === "spdy" && verb === "get" ||
    way === "spdy-websocket" && verb === "create";
}

/** HTTP statuses of those who may say something else in a moment (RFC 9110 section 15.6, RFC 6585). */
const passing = [429, 502, 503, 504];

/** Whether the same is to be expected the next time. */
export function isLasting(error: unknown): boolean {
  if (error instanceof ApiError) return !passing.includes(error.status);
  return error instanceof ObstacleError && error.obstacle.kind === "protocol";
}
