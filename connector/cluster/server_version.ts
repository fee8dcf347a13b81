import type { ApiClient, ServerVersion } from "../../k8s/mod.ts";
import { ConnectError } from "../failure.ts";

/** The oldest Kubernetes that knows all kinds of the manager's objects: ValidatingAdmissionPolicy came last. */
const oldest = { major: 1, minor: 30 } as const;

/**
 * Resolves when the API server is new enough for a manager to be installed; asked before anything is changed. One whose
 * version is no number, as some distributions make them, is taken to be: its own answers then tell.
 *
 * @throws {ConnectError} `kubernetes-too-old`.
 * @throws {ApiError} when it does not tell its version.
 */
export async function mustTakeManager(
  api: Pick<ApiClient, "version">,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const version = await api.version({ signal });
  if (!isTooOld(version)) return;
  throw new ConnectError({
    kind: "kubernetes-too-old",
    cause: "Cannot install the traffic manager: the cluster runs Kubernetes " +
      `${version.gitVersion}, and v${oldest.major}.${oldest.minor} or later ` +
      "is needed",
  });
}

/** A minor version may have something behind its number: `30+`. */
function isTooOld({ major, minor }: ServerVersion): boolean {
  const found = { major: parseInt(major), minor: parseInt(minor) };
  return found.major < oldest.major ||
    found.major === oldest.major && found.minor < oldest.minor;
}
