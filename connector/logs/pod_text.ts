import type { Pod } from "../../k8s/mod.ts";

/** What stands in the place of what may be a secret. */
const removed = "REDACTED";

/** Fields whose values are the user's own words: environment, command lines, headers, notes. */
const secretLists = new Set(["command", "args"]);

/**
 * The pod without what may be a secret: values of environment variables, command lines and headers, annotations but for
 * their names, and the fields' managers. Where a value is from (`valueFrom`) stays.
 */
export function withoutSecrets(pod: Pod): unknown {
  const { managedFields: _, annotations = {}, ...metadata } = pod
    .metadata as Pod["metadata"] & Record<string, unknown>;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, annotations: blanked(annotations as object) },
    spec: cleaned(pod.spec),
    status: pod.status,
  };
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([key, field]) => [
    key,
    secretLists.has(key) && Array.isArray(field)
      ? field.map(() => removed)
      : (key === "env" || key === "httpHeaders") && Array.isArray(field)
      ? field.map(withoutValue)
      : cleaned(field),
  ]);
  return Object.fromEntries(fields);
}

function withoutValue(variable: object): object {
  return "value" in variable ? { ...variable, value: removed } : variable;
}

function blanked(all: object): object {
  return Object.fromEntries(Object.keys(all).map((key) => [key, removed]));
}

/** A log's text without what looks like a token, a key or a password. */
export function withoutTokens(text: string): string {
  return text
    .replace(/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, removed)
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${removed}`)
    .replace(
      /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(-----END \1-----|$)/g,
      removed,
    )
    .replace(/(:\/\/[^\s/:@"]+:)[^\s/@"]+@/g, `$1${removed}@`)
    .replace(
      /("?\b(?:client-key-data|token|password|passwd|secret)"?[ \t]*[:=][ \t]*"?)[^\s",}]{4,}/gi,
      `$1${removed}`,
    );
}
