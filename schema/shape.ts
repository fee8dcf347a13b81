/**
 * What is wrong with a value where it is not of the shape that a schema describes.
 *
 * Compiling a schema costs tens of milliseconds: this is for who has something to read.
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { type Fault, placeBelow } from "./fault.ts";
import { nearest } from "./nearest.ts";

/** A fault, and where it is as keys and indices from the root on. */
export interface ShapeFault extends Fault {
  readonly path: readonly string[];
}

/** What is said of a schema's own matters. */
export interface ShapeWords {
  /** Properties of Telepresence's files that `tp` has nothing for. */
  readonly foreign: ReadonlySet<string>;
  /** Whose property, at `path` in `value`, a schema of `false` forbids; absent: it has no such schema. */
  readonly holderOf?: (path: readonly string[], value: unknown) => string;
}

/** All that is wrong with `value`; nothing: it is of the shape. */
export function shapeFaults(
  value: unknown,
  { schema, ...words }: ShapeWords & { schema: object },
): ShapeFault[] {
  const ajv = new Ajv2020({
    ...{ allErrors: true, verbose: true, allowUnionTypes: true },
    strictRequired: false,
  });
  const validate = ajv.compile(schema);
  if (validate(value)) return [];
  const found = (validate.errors ?? []).flatMap((error) => {
    const text = textOf(error, { value, words });
    const path = pathOf(error);
    return text === undefined
      ? []
      : [{ path, place: placeOf(path, value), text }];
  });
  // Several rules may forbid the same.
  const seen = new Set<string>();
  return found.filter(({ place, text }) => {
    const key = `${place} ${text}`;
    return !seen.has(key) && seen.add(key);
  });
}

function pathOf(error: ErrorObject): string[] {
  const { additionalProperty: unknown } = error.params;
  const below = unknown ?? error.propertyName;
  const path = partsOf(error.instancePath);
  return below === undefined ? path : [...path, below];
}

function placeOf(path: readonly string[], value: unknown): string {
  let place = "";
  let at = value;
  for (const part of path) {
    place = placeBelow(place, Array.isArray(at) ? Number(part) : part);
    at = (at as Record<string, unknown> | undefined)?.[part];
  }
  return place;
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
  { value, words }: { value: unknown; words: ShapeWords },
): string | undefined {
  switch (keyword) {
    case "required":
      return `has no ${params.missingProperty}; add it`;
    case "additionalProperties":
      return unknownText(params.additionalProperty, {
        known: Object.keys(parentSchema?.properties ?? {}),
        ...words,
      });
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
      return `${words.holderOf?.(partsOf(instancePath), value) ?? "it"} ` +
        "has none; leave it out";
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

function unknownText(
  name: string,
  { known, foreign }: ShapeWords & { known: readonly string[] },
): string {
  if (foreign.has(name)) {
    return "is Telepresence's, and tp has nothing like it; leave it out";
  }
  const near = nearest(name, known);
  return near === undefined
    ? `is no property here; there are ${known.join(", ")}`
    : `is no property; did you mean "${near}"?`;
}

/** With `a` or `an`. */
export function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  return article(Array.isArray(value) ? "array" : typeof value);
}

function shown(value: unknown): string {
  return value === null ? "empty" : JSON.stringify(value);
}
