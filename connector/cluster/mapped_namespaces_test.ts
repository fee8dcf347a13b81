import assert from "node:assert/strict";
import { encodeTarget } from "../../manager/api.ts";
import {
  parseMappedNamespaces,
  wantsSameNamespaces,
} from "./mapped_namespaces.ts";

const parsed: [
  asked: string[] | undefined,
  namespaces: string[] | undefined,
][] = [
  [undefined, undefined],
  [[], undefined],
  [["all"], undefined],
  [["shop", "all"], undefined],
  [["shop", "db", "shop"], ["db", "shop"]],
];

for (const [asked, namespaces] of parsed) {
  Deno.test(`parseMappedNamespaces() of ${asked}`, () => {
    const request = asked ? { mappedNamespaces: asked } : {};
    assert.deepEqual(parseMappedNamespaces(request), namespaces);
  });
}

Deno.test("parseMappedNamespaces() refuses what is no namespace's name", () => {
  for (const text of ["", "a.b", "a/b", "-a"]) {
    assert.throws(
      () => parseMappedNamespaces({ mappedNamespaces: ["shop", text] }),
      new RegExp(`Cannot map "${text}": it is no name of a namespace`),
    );
  }
});

Deno.test("parseMappedNamespaces() refuses more than one question to the manager holds", () => {
  const of = (count: number) =>
    parseMappedNamespaces({
      mappedNamespaces: Array.from(
        { length: count },
        (_, i) => `${i}`.padEnd(63, "x"),
      ),
    });
  const target = encodeTarget({ kind: "world", namespaces: of(250)! });
  assert.ok(target.length <= 16_384);
  assert.throws(
    () => of(251),
    /Cannot map 251 namespaces: it is more than 250/,
  );
});

Deno.test("wantsSameNamespaces() takes a request that does not say for one of the same", () => {
  const of = (...mappedNamespaces: string[]) => ({ mappedNamespaces });
  assert.ok(wantsSameNamespaces({}, of("a", "b")));
  assert.ok(wantsSameNamespaces(of("b", "a"), of("a", "b")));
  assert.ok(wantsSameNamespaces(of("all"), {}));
  assert.ok(!wantsSameNamespaces(of("a"), of("a", "b")));
  assert.ok(!wantsSameNamespaces(of("a"), {}));
  assert.ok(!wantsSameNamespaces(of("all"), of("a")));
});
