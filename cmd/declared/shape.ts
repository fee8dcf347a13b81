/**
 * Whether a value is of the shape that the published schema describes, and what is wrong where it is not. Pure.
 *
 * Compiling the schema costs tens of milliseconds, so this file is for who reads a declaration.
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import schema from "../../docs/workstation-state.schema.json" with {
  type: "json",
};
import { nearest } from "./nearest.ts";
import { type Fault, placeBelow } from "./state.ts";

/** Properties of Telepresence's files that `tp` has nothing for. */
const foreign = new Set([
  ...["kubeFlags", "mappedNamespaces", "alsoProxy", "neverProxy", "vnat"],
  ...["allowConflictingSubnets", "proxyVia", "rerouteLocal", "rerouteRemote"],
  ...["nodeAgent", "mechanism", "plaintext", "metadata"],
]);

/** All that is wrong; nothing: it is a `WorkstationState`, but for what {@link ./sense.ts} looks at. */
export function shapeFaults(value: unknown): Fault[] {
  const ajv = new Ajv2020({
    ...{ allErrors: true, verbose: true, allowUnionTypes: true },
    strictRequired: false,
  });
  const validate = ajv.compile(schema);
  if (validate(value)) return [];
  const found = (validate.errors ?? []).flatMap((error) => {
    const text = textOf(error, value);
    const place = placeOf(error, value);
    return text === undefined ? [] : [{ place, text }];
  });
  // Several rules may forbid the same.
  const seen = new Set<string>();
  return found.filter(({ place, text }) => {
    const key = `${place} ${text}`;
    return !seen.has(key) && seen.add(key);
  });
}

function placeOf(error: ErrorObject, value: unknown): string {
  let place = "";
  let at = value;
  for (const part of partsOf(error.instancePath)) {
    place = placeBelow(place, Array.isArray(at) ? Number(part) : part);
    at = (at as Record<string, unknown>)[part];
  }
  const { additionalProperty: unknown } = error.params;
  const below = unknown ?? error.propertyName;
  return below === undefined ? place : placeBelow(place, below);
}

/** RFC 6901. */
function partsOf(pointer: string): string[] {
  return pointer.split("/").slice(1).map((part) =>
    part.replaceAll("~1", "/").replaceAll("~0", "~")
  );
}

/** `undefined` for what only says that another error is one. */
function textOf(
  { keyword, params, parentSchema, data, instancePath }: ErrorObject,
  value: unknown,
): string | undefined {
  switch (keyword) {
    case "required":
      return `has no ${params.missingProperty}; add it`;
    case "additionalProperties":
      return unknownText(
        params.additionalProperty,
        Object.keys(parentSchema?.properties ?? {}),
      );
    case "type":
      return `is ${kindOf(data)}; make it ${
        [params.type].flat().map(article).join(" or ")
      }`;
    case "enum": {
      const values: string[] = params.allowedValues;
      const near = typeof data === "string" ? nearest(data, values) : undefined;
      const list = values.length === 1
        ? values[0]
        : `one of ${values.join(", ")}`;
      return near === undefined || values.length === 1
        ? `is ${shown(data)}; make it ${list}`
        : `is ${shown(data)}, not ${list}; did you mean "${near}"?`;
    }
    case "false schema":
      return `${holderOf(instancePath, value)} has none; leave it out`;
    case "dependentRequired":
      return `has ${params.property}, but no ${params.missingProperty}; add it`;
    case "minLength":
    case "minItems":
      return "is empty; give a value, or leave it out";
    case "maxItems":
      return `has ${(data as unknown[]).length} values, of which tp takes ` +
        `${params.limit}; make an attachment of each`;
    case "pattern":
    case "minimum":
    case "maximum":
    case "maxLength":
      return `is ${shown(data)}; make it a ${parentSchema?.title}`;
    default:
      return undefined;
  }
}

function unknownText(name: string, known: readonly string[]): string {
  if (foreign.has(name)) {
    return "is Telepresence's, and tp has nothing like it; leave it out";
  }
  const near = nearest(name, known);
  return near === undefined
    ? `is no property here; there are ${known.join(", ")}`
    : `is no property; did you mean "${near}"?`;
}

/** Whose property it is. */
function holderOf(pointer: string, value: unknown): string {
  let at = value;
  for (const part of partsOf(pointer).slice(0, -1)) {
    at = (at as Record<string, unknown>)[part];
  }
  const { type, localOnly } = at as { type: string; localOnly?: boolean };
  if (type === "intercept" && localOnly) return "a localOnly attachment";
  return `${article(type)}`;
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  return article(Array.isArray(value) ? "array" : typeof value);
}

function shown(value: unknown): string {
  return value === null ? "empty" : JSON.stringify(value);
}
