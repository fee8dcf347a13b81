/** What to tell who may not: which rights are missing, and what an admin of the cluster would run. */
import {
  type ApiClient,
  type ApiError,
  type KubernetesObject,
} from "../k8s/mod.ts";
import { defaultManagerNamespace } from "../manager/api.ts";
import { ConnectError } from "./failure.ts";
import {
  formatRights,
  lacking,
  rightsToApply,
  rightsToConnect,
  userRole,
} from "./rights.ts";
import { userName } from "./user_name.ts";

/** The ClusterRole among the manager's objects that is for those who intercept. */
const interceptRole = "tp-intercept";

/** The user that the API server sees in who sends no credentials. */
const anonymous = "system:anonymous";

export interface ForbiddenOptions {
  managerNamespace: string;
  /** The answer of the API server. */
  cause: ApiError;
}

/**
 * A 403 on the way to the manager.
 *
 * @param installed Whether the manager is known to be there.
 */
export async function forbiddenToConnect(
  api: ApiClient,
  { managerNamespace, installed, cause }: ForbiddenOptions & {
    installed: boolean;
  },
): Promise<ConnectError> {
  const user = await nameToTell(api);
  if (user === anonymous) return withoutCredentials(api, cause);
  const missing = await lacking(api, rightsToConnect(managerNamespace));
  return new ConnectError({
    kind: "forbidden",
    cause:
      `Cannot reach the traffic manager in namespace "${managerNamespace}": ` +
      `user "${user}" ${
        missing.length > 0 ? "lacks rights in the cluster" : `may not`
      }`,
    details: missing.length > 0 ? formatRights(missing) : [cause.message],
    adminCommands: [
      ...installed ? [] : [installCommand(managerNamespace)],
      bindCommand(managerNamespace, user),
    ],
  }, { cause });
}

/**
 * A user who may not install the manager.
 *
 * @param cause Absent when nothing was tried, since there is no manager; then the result is `undefined` if no right is
 *   known to be missing.
 */
export async function forbiddenToInstall(
  api: ApiClient,
  { managerNamespace, manifests, cause }:
    & Partial<ForbiddenOptions>
    & Pick<ForbiddenOptions, "managerNamespace">
    & { manifests: KubernetesObject[] },
): Promise<ConnectError | undefined> {
  const missing = await lacking(api, rightsToApply(manifests));
  if (missing.length === 0 && cause === undefined) return undefined;
  const user = await nameToTell(api);
  if (user === anonymous) return withoutCredentials(api, cause);
  const toConnect = await lacking(api, rightsToConnect(managerNamespace));
  const told = cause === undefined ? [] : [cause.message];
  return new ConnectError({
    kind: "forbidden",
    cause: cause === undefined
      ? `Cannot install the traffic manager: namespace ` +
        `"${managerNamespace}" has none, and user "${user}" may not`
      : `Cannot install the traffic manager in namespace ` +
        `"${managerNamespace}": user "${user}" may not`,
    details: missing.length > 0 ? formatRights(missing) : told,
    adminCommands: [
      installCommand(managerNamespace),
      ...toConnect.length > 0 ? [bindCommand(managerNamespace, user)] : [],
    ],
  }, { cause });
}

/** A user who may not intercept in `namespace`. */
export async function forbiddenToIntercept(
  api: ApiClient,
  { namespace, cause }: { namespace: string; cause: ApiError },
): Promise<ConnectError> {
  const user = await nameToTell(api);
  if (user === anonymous) return withoutCredentials(api, cause);
  return new ConnectError({
    kind: "forbidden",
    cause: `Cannot intercept in namespace "${namespace}": user "${user}" ` +
      "lacks rights in the cluster",
    details: [cause.message],
    adminCommands: [
      `kubectl create rolebinding ${bindingName(interceptRole, user)} ` +
      `--namespace ${namespace} --clusterrole ${interceptRole} ` +
      `--user ${quote(user)}`,
    ],
  }, { cause });
}

/** Who is told what they may not is told it also when the API server says no more. */
async function nameToTell(api: ApiClient): Promise<string> {
  return await userName(api).catch(() => undefined) ?? "NAME";
}

function withoutCredentials(
  { access: { context, server } }: ApiClient,
  cause: unknown,
): ConnectError {
  return new ConnectError({
    kind: "unauthorized",
    cause: `Cannot use context "${context}": the kubeconfig holds no ` +
      `credentials that API server "${server.origin}" takes`,
  }, { cause });
}

function installCommand(managerNamespace: string): string {
  return managerNamespace === defaultManagerNamespace
    ? "tp install"
    : `tp install --manager-namespace ${managerNamespace}`;
}

function bindCommand(managerNamespace: string, user: string): string {
  const name = bindingName(userRole, user);
  return `kubectl create rolebinding ${name} --namespace ${managerNamespace} ` +
    `--role ${userRole} --user ${quote(user)}`;
}

function bindingName(role: string, user: string): string {
  return `${role}-${user.replace(/[^\w.@:-]/g, "-")}`;
}

/** A word of a shell command. */
function quote(word: string): string {
  return /^[\w.@:/-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}
