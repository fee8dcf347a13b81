/** Which kubeconfig files there are. */
import { broken, type KubeconfigFile, parseKubeconfig } from "./kubeconfig.ts";

/** Where to look for them. */
export interface KubeconfigPlace {
  /** Paths in the syntax of `KUBECONFIG`; goes before it. */
  kubeconfig?: string;
  /** The environment of the user: `KUBECONFIG`, `HOME`, proxies; credential plugins get all of it. */
  env: Record<string, string>;
  /** Instead of `env.HOME`. */
  home?: string;
}

/** Between the paths in `KUBECONFIG`. */
export const pathSeparator = Deno.build.os === "windows" ? ";" : ":";

export function kubeconfigPaths(
  { kubeconfig, env, home }: KubeconfigPlace,
): string[] {
  const list = kubeconfig ?? env["KUBECONFIG"];
  if (list) {
    return list.split(pathSeparator).filter((path) => path !== "");
  }
  const folder = home ?? env["HOME"] ?? env["USERPROFILE"];
  return folder ? [`${folder}/.kube/config`] : [];
}

/** Those of the files that are there. */
export async function readKubeconfigs(
  paths: string[],
): Promise<KubeconfigFile[]> {
  const files = await Promise.all(paths.map(readKubeconfig));
  return files.filter((file) => file !== undefined);
}

/** `undefined` when there is no such file. */
async function readKubeconfig(
  path: string,
): Promise<KubeconfigFile | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw broken(path, "it cannot be read", error);
  }
  return await parseKubeconfig(text, path);
}
