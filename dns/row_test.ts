import assert from "node:assert/strict";
import { type InRow, Row } from "./row.ts";

interface One extends InRow<One> {
  readonly name: string;
}

const one = (name: string): One => ({
  ...{ name, before: undefined, after: undefined },
});

/** The names in `row`, which are the same from either end. */
function names(row: Row<One>): string {
  let forth = "";
  let back = "";
  for (let at = row.first; at; at = at.after) forth += at.name;
  for (let at = row.last; at; at = at.before) back = at.name + back;
  assert.equal(forth, back);
  return forth;
}

Deno.test("A row has whoever comes in its order, and whoever leaves no more", () => {
  const row = new Row<One>();
  const [a, b, c, d] = [one("a"), one("b"), one("c"), one("d")];
  assert.equal(names(row), "");
  row.add(b);
  row.insert(a, undefined);
  row.add(d);
  row.insert(c, b);
  assert.equal(names(row), "abcd");
  row.remove(c);
  assert.equal(names(row), "abd");
  row.remove(a);
  row.remove(d);
  assert.equal(names(row), "b");
  row.remove(b);
  assert.equal(names(row), "");
  row.add(a);
  row.add(b);
  assert.equal(names(row), "ab");
});
