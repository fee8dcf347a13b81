/** A place in the cluster for a manager of one test: nothing of it is shared with another's. */
import type { Cluster } from "../cluster/mod.ts";

export interface ManagerPlace extends AsyncDisposable {
  readonly namespace: string;
  /** The flag of `tp` that names it. */
  readonly flag: readonly string[];
  /** Lets somebody connect, as `--user=NAME` or `--serviceaccount=NAMESPACE:NAME` names them. What takes that back. */
  grant(whom: string): Promise<AsyncDisposable>;
  /** Objects of a manager that are there and are not being deleted, a line each. */
  objects(): Promise<string[]>;
}

const kinds = [
  ...["statefulset", "pod", "poddisruptionbudget"],
  ...["serviceaccount", "role", "rolebinding"],
  ...["clusterrole", "clusterrolebinding", "namespace"],
  ...["service", "networkpolicy", "mutatingwebhookconfiguration"],
];
const columns = [
  ...["KIND:.kind", "NAMESPACE:.metadata.namespace", "NAME:.metadata.name"],
  "GONE:.metadata.deletionTimestamp",
];

/**
 * A place whose namespace does not exist, or does and holds the objects of `manifests`. What a manager has there is deleted
 * with the scope.
 */
export async function managerPlace(
  cluster: Cluster,
  { exists = false, labels = {} }: {
    exists?: boolean;
    labels?: Record<string, string>;
  } = {},
): Promise<ManagerPlace> {
  const made = exists ? await cluster.namespace("manager") : undefined;
  const namespace = made?.name ?? `manager-${crypto.randomUUID().slice(0, 8)}`;
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (pairs.length > 0) {
    await cluster.kubectl(["label", "namespace", namespace, ...pairs]);
  }
  return {
    namespace,
    flag: ["--manager-namespace", namespace],
    grant: (whom) => grant(cluster, namespace, whom),
    objects: () => managerObjects(cluster, namespace),
    [Symbol.asyncDispose]: () => removeManager(cluster, namespace),
  };
}

async function grant(
  cluster: Cluster,
  namespace: string,
  whom: string,
): Promise<AsyncDisposable> {
  const name = `laptop-${crypto.randomUUID().slice(0, 8)}`;
  const binding = ["rolebinding", name, "--namespace", namespace];
  const { code, stderr } = await cluster.kubectl(
    ["create", ...binding, "--role=tp-user", whom],
  );
  if (code !== 0) throw new Error(`Cannot grant "${whom}": ${stderr}`);
  return {
    [Symbol.asyncDispose]: async () => {
      await cluster.kubectl(["delete", ...binding, "--ignore-not-found"]);
    },
  };
}

async function managerObjects(
  cluster: Cluster,
  namespace: string,
): Promise<string[]> {
  const { stdout } = await cluster.kubectl([
    ...["get", kinds.join(","), "--all-namespaces", "--no-headers"],
    ...["--selector=app.kubernetes.io/part-of=tp"],
    `--output=custom-columns=${columns.join(",")}`,
  ]);
  return stdout.split("\n").map((line) => line.trim().split(/\s+/)).filter((
    [, of, name, gone],
  ) => gone === "<none>" && (of === namespace || name?.endsWith(namespace)))
    .map((words) => words.slice(0, 3).join(" "));
}

async function removeManager(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  const name = `traffic-manager-${namespace}`;
  const now = ["--ignore-not-found", "--wait=false", "--now"];
  const remove = (...args: string[]) =>
    cluster.kubectl(["delete", ...args, ...now]);
  await remove("pods", "--all", "--namespace", namespace);
  await remove("namespace", namespace);
  await remove(
    "clusterrole,clusterrolebinding,mutatingwebhookconfiguration",
    name,
  );
  await remove("role,rolebinding", name, "--namespace", "default");
}
