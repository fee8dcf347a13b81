import { createHash } from "node:crypto";
import { buildManagerImage, type Cluster } from "../cluster/mod.ts";
import { executable } from "./laptop_tp.ts";

/** What this test file has already brought to the bed. */
const brought = new Map<string, Promise<void>>();

/**
 * The image of the build under test, in the bed: under the name of `TP_IMAGE`, else one that tells its content, so that no
 * other run's manager is touched. A cluster of `TP_TEST_KUBECONFIG` pulls it.
 *
 * @param use a word of its name
 */
export async function ownImage(cluster: Cluster, use: string): Promise<string> {
  const digest = createHash("sha256").update(await Deno.readFile(executable));
  const name = Deno.env.get("TP_IMAGE") ||
    `docker.io/local/tp:${use}-${digest.digest("hex").slice(0, 12)}`;
  if (cluster.isBed) {
    const bringing = brought.get(name) ??
      buildManagerImage(cluster, { executable, name });
    brought.set(name, bringing);
    await bringing;
  }
  return name;
}
