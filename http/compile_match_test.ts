import assert from "node:assert/strict";
import fc from "fast-check";
import { compileMatch } from "./compile_match.ts";
import type { RequestHead } from "./request_head.ts";
import type { HeaderMatch, RequestMatch } from "./request_match.ts";

function head(
  parts: {
    method?: string;
    target?: string;
    headers?: [string, string][];
  } = {},
): RequestHead {
  return { version: "1.1", method: "GET", target: "/", headers: [], ...parts };
}

function matchesHeader(
  match: HeaderMatch,
  ...headers: [string, string][]
): boolean {
  return compileMatch({ combine: "all", headers: [match] })(head({ headers }));
}

function matchesPath(
  kind: "equal" | "prefix" | "regex",
  value: string,
  target: string,
): boolean {
  return compileMatch({ combine: "all", path: { kind, value } })(
    head({ target }),
  );
}

Deno.test("compileMatch() compares a header by its name in any case, and any field of it", () => {
  const match: HeaderMatch = { name: "X-User", kind: "exact", value: "jane" };
  assert.ok(matchesHeader(match, ["x-user", "jane"]));
  assert.ok(matchesHeader(match, ["X-USER", "joe"], ["x-user", "jane"]));
  assert.ok(!matchesHeader(match, ["x-user", "Jane"]));
  assert.ok(!matchesHeader(match, ["x-users", "jane"]));
  assert.ok(!matchesHeader(match, ["x-user", "joe, jane"]));
  assert.ok(matchesHeader({ ...match, value: "ü" }, ["x-user", "\xc3\xbc"]));
});

Deno.test("compileMatch() takes one member of baggage and tracestate", () => {
  for (const name of ["baggage", "tracestate"]) {
    const match: HeaderMatch = { name, kind: "exact", value: "user=jane" };
    assert.ok(matchesHeader(match, [name, "a=b, user = jane;ttl=3 ,c=d"]));
    assert.ok(matchesHeader(match, [name, "a=b"], [name, "user=jane"]));
    assert.ok(!matchesHeader(match, [name, "user=janet,xuser=jane"]));
    assert.ok(
      matchesHeader({ ...match, kind: "regex", value: "^user=ja" }, [
        name,
        "a=b,user=jane",
      ]),
    );
  }
  assert.ok(
    !matchesHeader({ name: "x", kind: "exact", value: "user=jane" }, [
      "x",
      "a=b,user=jane",
    ]),
  );
});

Deno.test("compileMatch() lets a star stand for any octets", () => {
  const table: [string, string, boolean][] = [
    ["*", "", true],
    ["ja*", "jane", true],
    ["*ne", "jane", true],
    ["j*n*", "jane", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["a*b*c", "abxbc", true],
    ["a*b*c", "acb", false],
    ["ja.e", "jane", false],
    ["**", "x", true],
  ];
  for (const [value, text, expected] of table) {
    assert.equal(
      matchesHeader({ name: "x", kind: "wildcard", value }, ["x", text]),
      expected,
      `${value} on ${text}`,
    );
  }
});

Deno.test("compileMatch() wildcards do what a regex of the same meaning does", () => {
  const pieces = fc.string({
    unit: fc.constantFrom("a", "b", "*"),
    maxLength: 8,
    minLength: 1,
  });
  const texts = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
  fc.assert(fc.property(pieces, texts, (value, text) => {
    const regex = new RegExp(`^${value.replaceAll("*", ".*")}$`, "s");
    assert.equal(
      matchesHeader({ name: "x", kind: "wildcard", value }, ["x", text]),
      regex.test(text),
    );
  }));
});

Deno.test("compileMatch() looks at the path without its query", () => {
  assert.ok(matchesPath("equal", "/a", "/a?x=/b"));
  assert.ok(matchesPath("equal", "/a", "http://user@host:8/a?b"));
  assert.ok(matchesPath("equal", "/", "http://host"));
  assert.ok(matchesPath("equal", "/", "http://host?x"));
  assert.ok(!matchesPath("equal", "/a", "/a/"));
  assert.ok(matchesPath("prefix", "/api/", "/api/v1"));
  assert.ok(!matchesPath("prefix", "/api/", "/api?/api/"));
  assert.ok(matchesPath("regex", "^/v[12]/", "/v2/x"));
  assert.ok(!matchesPath("regex", "x$", "/v2?x"));
});

Deno.test("compileMatch() combines conditions by all and by any", () => {
  const match: RequestMatch = {
    combine: "all",
    headers: [{ name: "x", kind: "exact", value: "1" }],
    path: { kind: "equal", value: "/a" },
    methods: ["get", "POST"],
  };
  const table: [RequestHead, boolean, boolean][] = [
    [head({ headers: [["x", "1"]], target: "/a" }), true, true],
    [head({ headers: [["x", "2"]], target: "/a" }), false, true],
    [
      head({ headers: [["x", "1"]], target: "/a", method: "PUT" }),
      false,
      true,
    ],
    [head({ method: "PUT", target: "/b" }), false, false],
  ];
  for (const [request, all, any] of table) {
    assert.equal(compileMatch(match)(request), all);
    assert.equal(compileMatch({ ...match, combine: "any" })(request), any);
  }
});

Deno.test("compileMatch() refuses what is empty or broken", () => {
  const header = (
    name: string,
    value: string,
    kind: HeaderMatch["kind"] = "exact",
  ) => ({ headers: [{ name, kind, value }] });
  for (
    const broken of [
      {},
      { headers: [] },
      header("", "x"),
      header("a b", "x"),
      header("a", ""),
      header("a", "(", "regex"),
      header("a", "(?<=a)b", "regex"),
      header("a", "a".repeat(2000), "regex"),
      { path: { kind: "prefix", value: "" } as const },
      { path: { kind: "regex", value: "[" } as const },
      { methods: [] },
      { methods: [""] },
    ]
  ) {
    assert.throws(
      () => compileMatch({ combine: "all", ...broken }),
      SyntaxError,
    );
  }
});

Deno.test("compileMatch() regexes that hang others take no time", () => {
  const begin = performance.now();
  for (
    const value of ["^(a+)+$", "(a|a)*b", "^(.*a){20}$", "(x{0,30}){0,30}y"]
  ) {
    const text = "a".repeat(8_000) + "!";
    matchesHeader({ name: "x", kind: "regex", value }, ["x", text]);
  }
  assert.ok(performance.now() - begin < 2_000);
});
