/** Rights in the cluster: which are needed, and which of them a user lacks. */
import {
  type AccessQuestion,
  type ApiClient,
  canI,
  type KubernetesObject,
  resourceOf,
} from "../../k8s/mod.ts";
import { version } from "../../build.ts";
import { managerManifests, type Manifest } from "../../manager/client.ts";

/** The Role among the manifests that is for those who connect. */
export const userRole = "tp-user";

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** What {@link userRole} grants, one by one, to who connects to the manager in `namespace`. */
export function rightsToConnect(namespace: string): AccessQuestion[] {
  const manifests = managerManifests({ namespace, image: "", version });
  const role = manifests.find(({ kind, metadata }) =>
    kind === "Role" && metadata.name === userRole
  ) as Manifest & { rules: Rule[] };
  return role.rules.flatMap((rule) => questionsOf(rule, namespace));
}

function questionsOf(rule: Rule, namespace: string): AccessQuestion[] {
  const names = rule.resourceNames ?? [undefined];
  return product(rule.apiGroups, rule.resources).flatMap(([group, path]) => {
    const [resource = "", subresource] = path.split("/");
    return product(names, rule.verbs).map(([name, verb]) => ({
      ...{ verb, group, resource, namespace },
      ...subresource === undefined ? {} : { subresource },
      ...name === undefined ? {} : { name },
    }));
  });
}

/** What server-side apply of `manifests` needs: it patches, and creates what is not there. */
export function rightsToApply(manifests: KubernetesObject[]): AccessQuestion[] {
  const places = new Map(manifests.map((manifest) => {
    const { group, plural: resource } = resourceOf(manifest);
    const { namespace } = manifest.metadata;
    const place = namespace === undefined ? {} : { namespace };
    return [`${group} ${resource} ${namespace}`, { group, resource, ...place }];
  }));
  return [...places.values()].flatMap((place) =>
    ["create", "patch"].map((verb) => ({ verb, ...place }))
  );
}

/** Those of `rights` that this user has not. What cannot be asked counts as there. */
export async function lacking(
  api: ApiClient,
  rights: AccessQuestion[],
): Promise<AccessQuestion[]> {
  const allowed = await Promise.all(
    rights.map((right) => canI(api, right).catch(() => true)),
  );
  return rights.filter((_, i) => !allowed[i]);
}

/** A line for each namespace, and one for what belongs to none. */
export function formatRights(rights: AccessQuestion[]): string[] {
  const lines = Map.groupBy(rights, ({ namespace }) => namespace);
  return [...lines].map(([namespace, rights]) => {
    const where = namespace === undefined
      ? "in the cluster"
      : `in namespace "${namespace}"`;
    const resources = Map.groupBy(
      rights,
      ({ resource, subresource }) =>
        subresource ? `${resource}/${subresource}` : resource,
    );
    const items = [...resources].map(([resource, rights]) =>
      `${rights.map(({ verb }) => verb).join(" and ")} ${resource}`
    );
    return `Missing ${where}: ${items.join(", ")}`;
  });
}

function product<A, B>(some: A[], others: B[]): [A, B][] {
  return some.flatMap((one) => others.map((other): [A, B] => [one, other]));
}
