/** What to tell who may not: which rights are missing, and what an admin of the cluster would run. */
import {
  type ApiClient,
  type ApiError,
  type KubernetesObject,
} from "../../k8s/mod.ts";
import { defaultManagerNamespace } from "../../manager/api.ts";
import { ConnectError } from "../failure.ts";
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

/** The one that is for those who take agents off workloads. */
const adminRole = "tp-admin";

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

/**
 * A user who may not intercept, or see what can be intercepted, in `namespace`.
 *
 * @param action Completes "Cannot …".
 */
export async function forbiddenToIntercept(
  api: ApiClient,
  { action = "intercept", namespace, cause }: {
    action?: string;
    namespace: string;
    cause: ApiError;
  },
): Promise<ConnectError> {
  const role = interceptRole;
  return await withoutRole(api, { action, namespace, role, cause });
}

/** A user who may not take agents off workloads; in no namespace when it is absent. */
export async function forbiddenToUninstall(
  api: ApiClient,
  { namespace, everything, managerNamespace, cause }: ForbiddenOptions & {
    namespace?: string | undefined;
    everything: boolean;
  },
): Promise<ConnectError> {
  const action = "uninstall";
  if (!everything) {
    return await withoutRole(api, {
      action,
      namespace,
      role: adminRole,
      cause,
    });
  }
  // No role of ours is for that: it deletes roles as well.
  const command = inNamespace("tp uninstall --everything", managerNamespace);
  return await lacksRights(api, { action, cause, command: () => command });
}

async function withoutRole(
  api: ApiClient,
  { action, namespace, role, cause }: {
    action: string;
    namespace: string | undefined;
    role: string;
    cause: ApiError;
  },
): Promise<ConnectError> {
  const command = (user: string) => {
    const where = namespace === undefined ? "" : `--namespace ${namespace} `;
    return `kubectl create ${
      where === "" ? "clusterrolebinding" : "rolebinding"
    } ${bindingName(role, user)} ${where}--clusterrole ${role} ` +
      `--user ${quote(user)}`;
  };
  return await lacksRights(api, { action, namespace, cause, command });
}

async function lacksRights(
  api: ApiClient,
  { action, namespace, cause, command }: {
    action: string;
    namespace?: string | undefined;
    cause: ApiError;
    /** What an admin runs for the user. */
    command: (user: string) => string;
  },
): Promise<ConnectError> {
  const user = await nameToTell(api);
  if (user === anonymous) return withoutCredentials(api, cause);
  const where = namespace === undefined ? "" : ` in namespace "${namespace}"`;
  return new ConnectError({
    kind: "forbidden",
    cause: `Cannot ${action}${where}: user "${user}" ` +
      "lacks rights in the cluster",
    details: [cause.message],
    adminCommands: [command(user)],
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
  return inNamespace("tp install", managerNamespace);
}

function inNamespace(command: string, managerNamespace: string): string {
  return managerNamespace === defaultManagerNamespace
    ? command
    : `${command} --manager-namespace ${managerNamespace}`;
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
