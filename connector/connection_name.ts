import { isServedNamespace } from "../dns/mod.ts";
import { settingWrong } from "./failure.ts";

/** The longest label of a name. */
const maxOctets = 63;

/** Labels that mean something else at the end of a name, or of a command. */
const taken = new Set(["svc", "all"]);

/**
 * Checks a connection's name, which names of its cluster may end in.
 *
 * @throws {ConnectError} `setting-wrong`.
 */
export function parseConnectionName(text: string): string {
  const wrong = (state: string) =>
    settingWrong(`Cannot use the name "${text}" for a connection: ${state}`);
  if (
    text.length > maxOctets || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text)
  ) {
    throw wrong(
      `it is not of lower-case letters, digits and "-", ${maxOctets} at most`,
    );
  }
  if (taken.has(text)) {
    throw wrong("names or commands that end in it have a meaning already");
  }
  if (!isServedNamespace(text)) {
    throw wrong("it is a top-level domain, and names in it stay what they are");
  }
  return text;
}

/** The name of a connection whose user gives it none. */
export function usualConnectionName(
  { context, namespace }: { context: string; namespace: string },
): string {
  const name = `${context}-${namespace}`.toLowerCase()
    .replace(/[^a-z0-9]+/g, "-").slice(0, maxOctets).replace(/^-+|-+$/g, "");
  try {
    return parseConnectionName(name);
  } catch {
    return `cluster-${name}`.slice(0, maxOctets).replace(/-+$/, "");
  }
}
