import {
  type ApiClient,
  type KubernetesObject,
  resourceOf,
} from "../k8s/mod.ts";

/** The rights that applying `manifests` needs and this user lacks, a sentence for each kind of object. */
export async function missingRights(
  api: ApiClient,
  manifests: KubernetesObject[],
): Promise<string[]> {
  const sentences = await Promise.all(manifests.map(async (manifest) => {
    const { group, plural } = resourceOf(manifest);
    const { namespace } = manifest.metadata;
    const allowed = await api.canI({
      verb: "create",
      group,
      resource: plural,
      ...namespace === undefined ? {} : { namespace },
    }).catch(() => true);
    if (allowed) return [];
    const where = namespace === undefined
      ? "in the cluster"
      : `in namespace "${namespace}"`;
    return [`Missing: create ${plural} ${where}`];
  }));
  return [...new Set(sentences.flat())];
}
