/**
 * Kubeconfig files: which cluster, user and namespace a context means.
 *
 * Of several files the first that has an entry of a name provides all of it, as with kubectl.
 */

/** Why a kubeconfig cannot be used: a closed list. */
export type KubeconfigProblem = "missing" | "unknown-context" | "broken";

/** The kubeconfig does not lead to a cluster. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
  readonly kind: KubeconfigProblem;

  constructor(
    kind: KubeconfigProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.kind = kind;
  }
}

export interface ContextEntry {
  cluster?: string;
  user?: string;
  namespace?: string;
}

export interface ClusterEntry {
  server?: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
  "proxy-url"?: string;
  extensions?: { name: string; extension: unknown }[];
}

export interface UserEntry {
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  as?: string;
  "as-uid"?: string;
  "as-groups"?: string[];
  "as-user-extra"?: Record<string, string[]>;
  exec?: ExecEntry;
  "auth-provider"?: { name?: string };
}

/** A program that hands out credentials (client.authentication.k8s.io). */
export interface ExecEntry {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  installHint?: string;
  provideClusterInfo?: boolean;
  interactiveMode?: "Never" | "IfAvailable" | "Always";
}

/** One file's content, as far as it is used. */
export interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context?: ContextEntry }[] | null;
  clusters?: { name: string; cluster?: ClusterEntry }[] | null;
  users?: { name: string; user?: UserEntry }[] | null;
}

/** A file that was read. */
export interface KubeconfigFile {
  path: string;
  content: Kubeconfig;
}

/** An entry and the file that it is from: relative paths in it start at that file's folder. */
export interface Found<T> {
  entry: T;
  path: string;
}

/** What a context means. */
export interface Selection {
  context: string;
  namespace: string;
  clusterName: string;
  cluster: Found<ClusterEntry>;
  userName: string;
  user: Found<UserEntry>;
}

/**
 * Takes one file's text (YAML or JSON) apart.
 *
 * @throws {KubeconfigError} `broken`.
 */
export async function parseKubeconfig(
  text: string,
  path: string,
): Promise<KubeconfigFile> {
  const { parse } = await import("../yaml.ts");
  let content: unknown;
  try {
    content = parse(text) ?? {};
  } catch (error) {
    const [line] = String((error as Error).message).split("\n");
    throw broken(path, `not YAML: ${line?.replace(/:$/, "")}`, error);
  }
  if (typeof content !== "object" || Array.isArray(content)) {
    throw broken(path, "not a mapping");
  }
  for (const key of ["contexts", "clusters", "users"] as const) {
    const list = (content as Kubeconfig)[key];
    if (list !== undefined && list !== null && !Array.isArray(list)) {
      throw broken(path, `${key} is not a list`);
    }
  }
  return { path, content: content as Kubeconfig };
}

/**
 * Finds what `wanted`, or else the current context, means.
 *
 * @throws {KubeconfigError} `unknown-context` when there is no such context, `broken` when it names what is not there.
 */
export function selectContext(
  files: KubeconfigFile[],
  wanted?: string,
): Selection {
  const name = wanted ?? currentContext(files);
  const context = find(files, "contexts", "context", name)?.entry;
  if (context === undefined) {
    throw new KubeconfigError(
      "unknown-context",
      `Cannot use context "${name}": ${namesTold(files)}`,
    );
  }
  const { cluster: clusterName = "", user: userName = "", namespace } = context;
  const cluster = find(files, "clusters", "cluster", clusterName);
  if (cluster === undefined) {
    throw new KubeconfigError(
      "broken",
      `Cannot use context "${name}": its cluster "${clusterName}" is not in the kubeconfig`,
    );
  }
  const user = userName === ""
    ? { entry: {}, path: cluster.path }
    : find(files, "users", "user", userName);
  if (user === undefined) {
    throw new KubeconfigError(
      "broken",
      `Cannot use context "${name}": its user "${userName}" is not in the kubeconfig`,
    );
  }
  return {
    context: name,
    namespace: namespace || "default",
    clusterName,
    cluster,
    userName,
    user,
  };
}

function currentContext(files: KubeconfigFile[]): string {
  for (const { content } of files) {
    if (content["current-context"]) return content["current-context"];
  }
  throw new KubeconfigError(
    "unknown-context",
    `Cannot choose a context: current-context is not set; ${namesTold(files)}`,
  );
}

function namesTold(files: KubeconfigFile[]): string {
  const names = files.flatMap(({ content }) =>
    (content.contexts ?? []).map(({ name }) => `"${name}"`)
  );
  const told = names.length === 0 ? "no context" : names.join(", ");
  return `the kubeconfig has ${told}`;
}

interface Entries {
  contexts: ContextEntry;
  clusters: ClusterEntry;
  users: UserEntry;
}

/** The first entry of that name, in the order of the files. */
function find<L extends keyof Entries>(
  files: KubeconfigFile[],
  list: L,
  key: string,
  name: string,
): Found<Entries[L]> | undefined {
  for (const { path, content } of files) {
    for (const item of content[list] ?? []) {
      if (item?.name !== name) continue;
      const entry = (item as unknown as Record<string, Entries[L]>)[key];
      return { entry: entry ?? {} as Entries[L], path };
    }
  }
  return undefined;
}

/** The error for a file that cannot be used. */
export function broken(
  path: string,
  state: string,
  cause?: unknown,
): KubeconfigError {
  return new KubeconfigError(
    "broken",
    `Cannot use kubeconfig "${path}": ${state}`,
    { cause },
  );
}
