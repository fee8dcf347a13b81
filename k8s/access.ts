/**
 * How to reach and convince one API server.
 *
 * 1. The kubeconfig files are read: those given, else those of `KUBECONFIG`, else `~/.kube/config`.
 * 2. The context is chosen; its cluster says where and whom to trust, its user how to prove who asks.
 * 3. Without any kubeconfig, a pod's own service account serves.
 */
import { inClusterAccess, isInCluster } from "./_in_cluster.ts";
import { parseProxy, proxyFromEnv } from "./_proxy.ts";
import type { Credential } from "./credential.ts";
import { userCredential } from "./_user_credential.ts";
import {
  broken,
  type ClusterEntry,
  type Found,
  KubeconfigError,
  selectContext,
  type UserEntry,
} from "./kubeconfig.ts";
import { readData } from "./_kubeconfig_data.ts";
import {
  kubeconfigPaths,
  type KubeconfigPlace,
  pathSeparator,
  readKubeconfigs,
} from "./_kubeconfig_files.ts";

/** One API server, and who asks it. */
export interface ClusterAccess {
  /** Name of the context; `in-cluster` in a pod. */
  readonly context: string;
  /** With the path prefix that some gateways want. */
  readonly server: URL;
  /** Namespace of the context. */
  readonly namespace: string;
  readonly trust: Trust;
  /** http, https, socks5 or socks5h. */
  readonly proxy?: URL;
  readonly credential: Credential;
  /** Headers that ask to act as somebody else. */
  readonly impersonation: readonly [string, string][];
  /** How kubectl has the same access; absent where there is no kubeconfig. */
  readonly kubectl?: KubectlAccess;
}

/** The same access for `kubectl`. */
export interface KubectlAccess {
  readonly context: string;
  /** Whole environment, which names the kubeconfig. */
  readonly env: Record<string, string>;
}

/** How the server proves that it is the one. */
export interface Trust {
  /** PEM certificates of the only authorities that count; missing: the system's. */
  readonly authority?: string;
  /** The name that the certificate must bear, where it is not the address's. */
  readonly serverName?: string;
  /** Nothing is checked. */
  readonly insecure: boolean;
}

export interface LoadAccessOptions extends KubeconfigPlace {
  /** Instead of the current context. */
  context?: string;
  /** Instead of the context's namespace. */
  namespace?: string;
  /** Whether credential plugins may talk with the user on our standard streams. Default: whether there is a terminal. */
  terminal?: boolean;
}

/**
 * Finds out how to reach the cluster. Asks no one on the network and runs no plugin.
 *
 * @throws {KubeconfigError}
 */
export async function loadAccess(
  options: LoadAccessOptions,
): Promise<ClusterAccess> {
  const { env, context, namespace } = options;
  const paths = kubeconfigPaths(options);
  const files = await readKubeconfigs(paths);
  if (files.length === 0) {
    if (options.kubeconfig === undefined && isInCluster(env)) {
      return await inClusterAccess({ env });
    }
    const told = paths.map((path) => `"${path}"`).join(", ");
    throw new KubeconfigError(
      "missing",
      `Cannot find a kubeconfig: ${told || "no path"} does not exist`,
    );
  }
  const selection = selectContext(files, context);
  const { cluster, user, userName } = selection;
  const server = serverOf(cluster);
  const trust = await trustOf(cluster);
  const proxy = proxyOf(cluster, { server, env });
  return {
    context: selection.context,
    server,
    namespace: namespace ?? selection.namespace,
    trust,
    ...proxy ? { proxy } : {},
    credential: await userCredential(user, {
      userName,
      env,
      terminal: options.terminal ?? Deno.stdin.isTerminal(),
      clusterInfo: clusterInfo(cluster.entry, trust),
      reread: async () =>
        selectContext(await readKubeconfigs(paths), selection.context).user,
    }),
    impersonation: impersonation(user.entry),
    kubectl: {
      context: selection.context,
      env: { ...env, KUBECONFIG: paths.join(pathSeparator) },
    },
  };
}

function serverOf({ entry, path }: Found<ClusterEntry>): URL {
  const server = URL.parse(entry.server ?? "");
  if (server === null || !/^https?:$/.test(server.protocol)) {
    throw broken(path, `"${entry.server ?? ""}" is no server address`);
  }
  return server;
}

async function trustOf(cluster: Found<ClusterEntry>): Promise<Trust> {
  const { entry, path } = cluster;
  const authority = await readData(cluster, "certificate-authority");
  if (
    authority !== undefined && !authority.includes("-----BEGIN CERTIFICATE")
  ) {
    throw broken(path, "certificate-authority holds no certificate");
  }
  const serverName = entry["tls-server-name"];
  return {
    ...authority ? { authority } : {},
    ...serverName ? { serverName } : {},
    insecure: entry["insecure-skip-tls-verify"] === true,
  };
}

/** The cluster's own proxy counts always, that of the environment follows its exemptions. */
function proxyOf(
  { entry, path }: Found<ClusterEntry>,
  { server, env }: { server: URL; env: Record<string, string> },
): URL | undefined {
  const own = entry["proxy-url"];
  try {
    return own ? parseProxy(own) : proxyFromEnv(server, env);
  } catch (error) {
    throw broken(path, (error as Error).message, error);
  }
}

/** What a plugin is told about the cluster (`spec.cluster` of ExecCredential). */
function clusterInfo(
  entry: ClusterEntry,
  { authority }: Trust,
): Record<string, unknown> {
  const { server, extensions } = entry;
  const config = extensions?.find(({ name }) =>
    name === "client.authentication.k8s.io/exec"
  )?.extension;
  const copied = ["tls-server-name", "insecure-skip-tls-verify", "proxy-url"]
    .flatMap((key) => {
      const value = entry[key as keyof ClusterEntry];
      return value === undefined ? [] : [[key, value]];
    });
  return {
    server,
    ...Object.fromEntries(copied),
    ...authority
      ? {
        "certificate-authority-data": new TextEncoder().encode(authority)
          .toBase64(),
      }
      : {},
    ...config === undefined ? {} : { config },
  };
}

function impersonation(user: UserEntry): [string, string][] {
  const headers: [string, string][] = [];
  if (user.as) headers.push(["Impersonate-User", user.as]);
  if (user["as-uid"]) headers.push(["Impersonate-Uid", user["as-uid"]]);
  for (const group of user["as-groups"] ?? []) {
    headers.push(["Impersonate-Group", group]);
  }
  for (const [key, values] of Object.entries(user["as-user-extra"] ?? {})) {
    const name = `Impersonate-Extra-${encodeURIComponent(key)}`;
    headers.push(...values.map((value): [string, string] => [name, value]));
  }
  return headers;
}
