/** Kubeconfigs of a laptop that differ from the administrator's in what a test is about. */
import {
  accounts,
  type Cluster,
  type Laptop,
  type LaptopUser,
  must,
} from "../cluster/mod.ts";

type Fields = Record<string, unknown>;

/** A kubeconfig with one context, its fields as the kubeconfig names them. */
export interface Access {
  readonly cluster: Fields;
  readonly user: Fields;
  readonly namespace?: string;
}

/** The administrator's own access, all data inside. */
export async function adminAccess(cluster: Cluster): Promise<Access> {
  return await parseAccess(cluster, await flattened(cluster));
}

/** The access in a kubeconfig, as {@link makeUser} writes it. */
export async function parseAccess(
  cluster: Cluster,
  kubeconfig: string,
): Promise<Access> {
  const view = JSON.parse(
    await must([
      cluster.kubectlPath,
      "config",
      "view",
      ...["--raw", "--flatten", "--minify", "--output=json"],
      "--kubeconfig=/dev/stdin",
    ], { stdin: kubeconfig }),
  );
  return { cluster: view.clusters[0].cluster, user: view.users[0].user };
}

/** Writes a kubeconfig with the one context `test` to the laptop, for one of its users; its path. */
export async function writeAccess(
  laptop: Laptop,
  access: Access,
  { user = "root", name = "test" }: { user?: LaptopUser; name?: string } = {},
): Promise<string> {
  const { cluster, user: credentials, namespace } = access;
  const context = { cluster: "test", user: "test", namespace };
  return await writeLaptopFile(
    laptop,
    `${accounts[user].home}/${name}.kubeconfig`,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      clusters: [{ name: "test", cluster }],
      users: [{ name: "test", user: credentials }],
      contexts: [{ name: "test", context }],
    }),
    { user },
  );
}

/** Writes a file that only one of the laptop's users can read; its path. */
export async function writeLaptopFile(
  laptop: Laptop,
  path: string,
  text: string,
  { user = "root", mode = "600" }: { user?: LaptopUser; mode?: string } = {},
): Promise<string> {
  const script = 'rm -f "$0"; umask 077; cat >"$0"; chmod "$1" "$0"';
  const command = laptop.command(["sh", "-euc", script, path, mode], { user });
  await must(command, { stdin: text });
  return path;
}

async function flattened(cluster: Cluster): Promise<string> {
  const view = ["config", "view", "--raw", "--flatten", "--minify"];
  return (await cluster.kubectl(view)).stdout;
}
