import type { RequestMatch } from "../connector/api.ts";

type HeaderMatch = NonNullable<RequestMatch["headers"]>[number];

/** RFC 9110 section 5.6.2. */
const token = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;

/**
 * Reads `NAME=VALUE` or `NAME: VALUE`. A value with `*` is a wildcard; `~REGEX` after `=`, and `/REGEX/`, are regular
 * expressions.
 *
 * @throws {SyntaxError}
 */
export function parseHeaderMatch(text: string): HeaderMatch {
  const [, name = "", separator = "", rest = ""] =
    /^([^=:]*)([=:])(.*)$/s.exec(text) ?? [];
  const value = rest.trim();
  if (!token.test(name.trim()) || value === "") {
    throw new SyntaxError(
      `Cannot read header "${text}": it is not NAME=VALUE or "NAME: VALUE"`,
    );
  }
  const regex = separator === "=" && value.startsWith("~")
    ? value.slice(1)
    : /^\/(.+)\/$/s.exec(value)?.[1];
  if (regex !== undefined) mustBeRegex(regex);
  const kind = regex !== undefined
    ? "regex"
    : value.includes("*")
    ? "wildcard"
    : "exact";
  return { name: name.trim(), kind, value: regex ?? value };
}

export interface MatchFlags {
  readonly httpHeader?: readonly HeaderMatch[];
  readonly httpPathEqual?: string;
  readonly httpPathPrefix?: string;
  readonly httpPathRegex?: string;
  readonly httpMethod?: readonly string[];
  readonly httpAny?: boolean;
}

/**
 * The condition that flags make together; `undefined` for all traffic.
 *
 * @throws {SyntaxError}
 */
export function matchOf(flags: MatchFlags): RequestMatch | undefined {
  const { httpHeader: headers = [], httpMethod = [], httpAny } = flags;
  const paths = (["equal", "prefix", "regex"] as const).flatMap((kind) => {
    const value = {
      equal: flags.httpPathEqual,
      prefix: flags.httpPathPrefix,
      regex: flags.httpPathRegex,
    }[kind];
    return value === undefined ? [] : [{ kind, value }];
  });
  if (paths.length > 1) {
    throw new SyntaxError(
      "Cannot match several paths: give one of --http-path-equal, --http-path-prefix, --http-path-regex",
    );
  }
  const [path] = paths;
  if (path?.kind === "regex") mustBeRegex(path.value);
  else if (path !== undefined) mustBePath(path.value);
  const methods = httpMethod.map((method) => method.toUpperCase());
  const other = methods.find((method) => !token.test(method));
  if (other !== undefined) {
    throw new SyntaxError(`Cannot match "${other}": it is no HTTP method`);
  }
  if (headers.length + paths.length + methods.length === 0) {
    if (!httpAny) return undefined;
    throw new SyntaxError(
      "Cannot match any of the conditions: --http-any stands without one",
    );
  }
  return {
    combine: httpAny ? "any" : "all",
    ...headers.length > 0 ? { headers } : {},
    ...path === undefined ? {} : { path },
    ...methods.length > 0 ? { methods } : {},
  };
}

/** What is matched is a request's path as it is sent, without the query. */
function mustBePath(text: string): void {
  if (/^\/[^?#\s]*$/.test(text)) return;
  throw new SyntaxError(
    `Cannot match path "${text}": no request has it; it begins with / and has no query`,
  );
}

function mustBeRegex(text: string): void {
  try {
    new RegExp(text, "u");
  } catch (cause) {
    throw new SyntaxError(
      `Cannot read "${text}": it is no regular expression`,
      { cause },
    );
  }
}
