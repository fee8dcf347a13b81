import assert from "node:assert/strict";
import { SearchList } from "./search_list.ts";

Deno.test("SearchList has each namespace once, the connection's first, for as long as it is wanted", () => {
  const list = new SearchList("shop");
  assert.deepEqual(list.current, ["shop"]);
  const shop = list.add("shop");
  const bakery = list.add("bakery");
  const again = list.add("bakery");
  const mill = list.add("mill");
  assert.deepEqual(list.current, ["shop", "bakery", "mill"]);
  assert.equal(list.current, list.current);
  bakery[Symbol.dispose]();
  assert.deepEqual(list.current, ["shop", "bakery", "mill"]);
  again[Symbol.dispose]();
  shop[Symbol.dispose]();
  assert.deepEqual(list.current, ["shop", "mill"]);
  mill[Symbol.dispose]();
  assert.deepEqual(list.current, ["shop"]);
});
