import type { Question } from "./api_error.ts";
import { pathOf, type Place, type Resource } from "./resource.ts";

/**
 * The question about a place, and its path.
 *
 * @throws {TypeError} when a namespace is needed and missing.
 */
export function ask(
  verb: string,
  resource: Resource,
  place: Place,
): { question: Question; path: string } {
  const { namespace, name, subresource } = place;
  if (
    resource.namespaced && namespace === undefined && verb !== "list" &&
    verb !== "watch"
  ) {
    throw new TypeError(`Cannot ${verb} ${resource.plural}: no namespace`);
  }
  const told = subresource
    ? `${resource.plural}/${subresource}`
    : resource.plural;
  return {
    question: {
      verb,
      resource: told,
      group: resource.group,
      namespace: resource.namespaced ? namespace : undefined,
      name,
    },
    path: pathOf(resource, place),
  };
}
