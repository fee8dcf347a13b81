import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import { forbiddenToIntercept } from "../cluster/forbidden.ts";
import { ConnectError } from "../failure.ts";

/** Why there is no Intercept object, by what the API server answered. What is no answer stays as it is. */
export async function notMade(
  api: ApiClient,
  { namespace, error }: { namespace: string; error: unknown },
): Promise<unknown> {
  if (!(error instanceof ApiError)) return error;
  const denied = /ValidatingAdmissionPolicy .* denied request: (.*)$/s
    .exec(error.detail)?.[1];
  if (denied !== undefined) {
    const cause = `Cannot intercept: ${denied}`;
    return new ConnectError({ kind: "intercept-denied", cause }, {
      cause: error,
    });
  }
  if (error.status === 403) {
    return await forbiddenToIntercept(api, { namespace, cause: error });
  }
  if (error.status === 404) {
    const isNamespace = /namespaces "/.test(error.detail);
    return new ConnectError({
      kind: isNamespace ? "workload-unknown" : "intercepts-missing",
      cause: isNamespace
        ? `Cannot intercept in namespace "${namespace}": there is none`
        : "Cannot intercept: the cluster knows no intercepts, its traffic manager is older than they are",
    }, { cause: error });
  }
  if (/spec\.mode: Unsupported value/.test(error.detail)) {
    return new ConnectError({
      kind: "intercepts-missing",
      cause: "Cannot intercept: the cluster's traffic manager is older than " +
        "that kind of intercept",
    }, { cause: error });
  }
  return error.status === 409 || error.status === 422
    ? new ConnectError({
      kind: "intercept-failed",
      cause: `Cannot intercept: ${error.detail}`,
    }, { cause: error })
    : error;
}
