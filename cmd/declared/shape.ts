/** Whether a value is of the shape that the published schema describes, and what is wrong where it is not. Pure. */
import schema from "../../docs/workstation-state.schema.json" with {
  type: "json",
};
import { article, type Fault, shapeFaults } from "../../schema/mod.ts";

/** Properties of Telepresence's files that `tp` has nothing for. */
const foreign = new Set([
  ...["kubeFlags", "mappedNamespaces", "alsoProxy", "neverProxy", "vnat"],
  ...["allowConflictingSubnets", "proxyVia", "rerouteLocal", "rerouteRemote"],
  ...["nodeAgent", "mechanism", "plaintext", "metadata"],
]);

/** All that is wrong; nothing: it is a `WorkstationState`, but for what {@link ./sense.ts} looks at. */
export function stateFaults(value: unknown): Fault[] {
  return shapeFaults(value, { schema, foreign, holderOf });
}

/** The attachment that has the property. */
function holderOf(path: readonly string[], value: unknown): string {
  let at = value;
  for (const part of path.slice(0, -1)) {
    at = (at as Record<string, unknown>)[part];
  }
  const { type, localOnly } = at as { type: string; localOnly?: boolean };
  if (type === "intercept" && localOnly) return "a localOnly attachment";
  return article(type);
}
