import assert from "node:assert/strict";
import { matchOf, parseHeaderMatch } from "./_header_match.ts";

const table: [text: string, kind: string, name: string, value: string][] = [
  ["x-user=anna", "exact", "x-user", "anna"],
  ["X-User: anna", "exact", "X-User", "anna"],
  ["x-user=a=b", "exact", "x-user", "a=b"],
  ["x-user: a: b", "exact", "x-user", "a: b"],
  ["x-user=an*", "wildcard", "x-user", "an*"],
  ["x-user=~^an+a$", "regex", "x-user", "^an+a$"],
  ["x-user=/^an+a$/", "regex", "x-user", "^an+a$"],
  ["x-user: /an.*/", "regex", "x-user", "an.*"],
  ["x-path: /api/v1", "exact", "x-path", "/api/v1"],
  ["x-user: ~anna", "exact", "x-user", "~anna"],
  ["baggage=*user=anna*", "wildcard", "baggage", "*user=anna*"],
];

for (const [text, kind, name, value] of table) {
  Deno.test(`parseHeaderMatch() reads ${text}`, () => {
    assert.deepEqual(parseHeaderMatch(text), { name, kind, value });
  });
}

Deno.test("parseHeaderMatch() takes nothing else", () => {
  for (
    const text of ["", "x", "=v", ": v", "a b=c", "x=", "x: ", "x=~(", "x=/[/"]
  ) {
    assert.throws(() => parseHeaderMatch(text), SyntaxError, text);
  }
});

Deno.test("matchOf() is absent without a condition, and has each that is given", () => {
  assert.equal(matchOf({}), undefined);
  assert.deepEqual(
    matchOf({
      httpHeader: [parseHeaderMatch("a=b")],
      httpPathPrefix: "/api",
      httpMethod: ["get", "POST"],
      httpAny: true,
    }),
    {
      combine: "any",
      headers: [{ name: "a", kind: "exact", value: "b" }],
      path: { kind: "prefix", value: "/api" },
      methods: ["GET", "POST"],
    },
  );
  assert.deepEqual(matchOf({ httpPathEqual: "/" }), {
    combine: "all",
    path: { kind: "equal", value: "/" },
  });
});

Deno.test("matchOf() takes one path, and a regular expression that is one", () => {
  const both = { httpPathEqual: "/", httpPathPrefix: "/a" };
  assert.throws(() => matchOf(both), /several paths/);
  assert.throws(() => matchOf({ httpPathRegex: "(" }), SyntaxError);
});

Deno.test("matchOf() refuses what no request could match", () => {
  for (const path of ["", "api", "/api?x=1", "/a b", "http://host/"]) {
    assert.throws(() => matchOf({ httpPathEqual: path }), /no request has it/);
    assert.throws(() => matchOf({ httpPathPrefix: path }), /no request has it/);
  }
  assert.throws(() => matchOf({ httpMethod: ["G T"] }), /no HTTP method/);
  assert.throws(() => matchOf({ httpAny: true }), /stands without one/);
});
