import type { ManifestOptions } from "../../manager/client.ts";
import { ConnectError } from "../failure.ts";

/**
 * A session is with one copy of the manager, and a direct endpoint leads to any of them.
 *
 * @throws {ConnectError} `endpoint-ambiguous` when there shall be an endpoint and several copies.
 */
export function mustBeOneCopy(
  { direct, replicas = 1 }: Pick<ManifestOptions, "direct" | "replicas">,
): void {
  if (direct === undefined || replicas === 1) return;
  throw new ConnectError({
    kind: "endpoint-ambiguous",
    cause: `Cannot give the traffic manager a direct endpoint: of its ` +
      `${replicas} copies, it would lead to any`,
  });
}
