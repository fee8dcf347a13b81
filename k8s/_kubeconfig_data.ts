/** Data that a kubeconfig holds itself, or names a file for. */
import { broken, type Found } from "./kubeconfig.ts";

/**
 * The text of `key`: base64 under `key-data`, which goes first, or the file's that `key` names.
 *
 * @throws {KubeconfigError} `broken`.
 */
export async function readData<K extends string>(
  { entry, path }: Found<{ [k in K | `${K}-data`]?: string }>,
  key: K,
): Promise<string | undefined> {
  const data = entry[`${key}-data`];
  if (data) {
    try {
      return atob(data.replace(/\s/g, ""));
    } catch (error) {
      throw broken(path, `${key}-data is not base64`, error);
    }
  }
  const file = entry[key];
  if (!file) return undefined;
  const resolved = besides(path, file);
  try {
    return await Deno.readTextFile(resolved);
  } catch (error) {
    throw broken(path, `${key} "${resolved}" cannot be read`, error);
  }
}

/** Where `file` is: relative paths start at the folder of the kubeconfig that names them. */
export function besides(kubeconfig: string, file: string): string {
  if (/^([/\\]|[a-z]:)/i.test(file)) return file;
  return kubeconfig.replace(/[^/\\]*$/, "") + file;
}
