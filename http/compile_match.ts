import { RE2JS } from "re2js";
import type { RequestHead } from "./request_head.ts";
import type { HeaderMatch, RequestMatch } from "./request_match.ts";

type Test = (text: string) => boolean;

/** Longer ones are refused: a regex's cost for each octet grows with its length. */
const maxRegexChars = 1024;
/** Names in lower case of headers whose value is a list of `key=value` (W3C Baggage, W3C Trace Context). */
const memberLists = new Set(["baggage", "tracestate"]);

/**
 * Makes a predicate of `match`. A condition on a header holds when any field of its name fulfils it; of `baggage` and
 * `tracestate`, one list member is enough. Values are compared octet by octet, text of `match` as UTF-8.
 *
 * Regexes have RE2's syntax and take linear time, as who writes them shares the pod with others.
 *
 * @throws {SyntaxError} for a broken regex, an empty condition, or no condition at all.
 */
export function compileMatch(
  match: RequestMatch,
): (request: RequestHead) => boolean {
  const tests: ((request: RequestHead) => boolean)[] = [];
  for (const header of match.headers ?? []) tests.push(headerTest(header));
  if (match.path !== undefined) tests.push(pathTest(match.path));
  if (match.methods !== undefined) tests.push(methodTest(match.methods));
  if (tests.length === 0) {
    throw new SyntaxError("Cannot match requests: there is no condition");
  }
  return match.combine === "all"
    ? (request) => tests.every((test) => test(request))
    : (request) => tests.some((test) => test(request));
}

function headerTest(match: HeaderMatch): (request: RequestHead) => boolean {
  const name = match.name.toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) {
    throw new SyntaxError(
      `Cannot match header "${match.name}": it is no header name`,
    );
  }
  const test = valueTest(match);
  const hasMembers = memberLists.has(name);
  return ({ headers }) =>
    headers.some(([field, value]) =>
      field.toLowerCase() === name &&
      (test(value) || hasMembers && membersOf(value).some(test))
    );
}

function valueTest({ name, kind, value }: HeaderMatch): Test {
  if (value === "") {
    throw new SyntaxError(`Cannot match header "${name}": no value is given`);
  }
  const octets = octetsOf(value);
  if (kind === "exact") return (text) => text === octets;
  return kind === "regex" ? regexTest(octets) : wildcardTest(octets);
}

function pathTest(
  { kind, value }: NonNullable<RequestMatch["path"]>,
): (request: RequestHead) => boolean {
  if (value === "") {
    throw new SyntaxError("Cannot match the path: no value is given");
  }
  const octets = octetsOf(value);
  const test: Test = kind === "equal"
    ? (path) => path === octets
    : kind === "prefix"
    ? (path) => path.startsWith(octets)
    : regexTest(octets);
  return ({ target }) => test(pathOf(target));
}

function methodTest(
  methods: readonly string[],
): (request: RequestHead) => boolean {
  if (methods.length === 0 || methods.includes("")) {
    throw new SyntaxError("Cannot match the method: no value is given");
  }
  const wanted = new Set(methods.map((method) => method.toUpperCase()));
  return ({ method }) => wanted.has(method);
}

function regexTest(source: string): Test {
  if (source.length > maxRegexChars) {
    throw new SyntaxError(
      `Cannot match by a regex of ${source.length} characters: at most ${maxRegexChars} are taken`,
    );
  }
  try {
    const regex = RE2JS.compile(source);
    return (text) => regex.matcher(text).find();
  } catch (error) {
    throw new SyntaxError(
      `Cannot match by regex "${source}": ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** Looks for the pieces between the stars from left to right: the first place of each leaves most room for the rest. */
function wildcardTest(pattern: string): Test {
  const pieces = pattern.split("*");
  const first = pieces.shift()!;
  const last = pieces.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (text.length < first.length + last.length) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const piece of pieces) {
      const found = text.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** `key=value` of each member without space around, with its properties and without. */
function membersOf(list: string): string[] {
  return list.split(",").flatMap((member) =>
    [member, member.split(";")[0]!].map((text) =>
      text.trim().replace(/[\t ]*=[\t ]*/, "=")
    )
  );
}

/** The path of a target, without its query: `/a` of `/a?b` and of `http://host/a?b`. */
function pathOf(target: string): string {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target);
  const rest = absolute === null ? target : target.slice(absolute[0].length);
  const end = rest.search(/[?#]/);
  const path = end < 0 ? rest : rest.slice(0, end);
  return path === "" && absolute !== null ? "/" : path;
}

/** `text` as heads have it: a character for each octet. */
function octetsOf(text: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return String.fromCharCode(...new TextEncoder().encode(text));
}
