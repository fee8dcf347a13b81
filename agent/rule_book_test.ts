import assert from "node:assert/strict";
import type { PodPort, Rule } from "../manager/api.ts";
import { memoryMs, RuleBook } from "./rule_book.ts";

const web: PodPort = { port: 8080, protocol: "TCP" };
const match = { combine: "all", methods: ["GET"] } as const;

function rule(id: string, change: Partial<Rule> = {}): Rule {
  return {
    ...{ id, name: id, owner: "jane", mode: "intercept", ports: [web] },
    manager: "m-0",
    ...change,
  };
}

let version = 0;
function list(manager: string, ...rules: Rule[]) {
  return { version: ++version, manager, rules };
}

function idsOf(rules: readonly Rule[]): string[] {
  return rules.map(({ id }) => id);
}

Deno.test("RuleBook.at() sorts the rules of a port by what is to be done", () => {
  const other: PodPort = { port: 9090, protocol: "TCP" };
  const dns: PodPort = { port: 8080, protocol: "UDP" };
  const book = new RuleBook();
  book.tell(list(
    "m-0",
    rule("whole"),
    rule("second whole", { mode: "replace" }),
    rule("a", { match }),
    rule("tap", { mode: "wiretap" }),
    rule("matching tap", { mode: "wiretap", match }),
    rule("b", { match, mode: "replace", ports: [other, web] }),
    rule("files", { mode: "ingest" }),
    rule("datagrams", { ports: [dns] }),
    rule("no request", { ports: [dns], match }),
  ));
  const cases: [PodPort, string[], string | undefined, string[]][] = [
    [web, ["a", "b"], "whole", ["tap", "matching tap"]],
    [other, ["b"], undefined, []],
    [dns, [], "datagrams", []],
    [{ port: 1, protocol: "TCP" }, [], undefined, []],
  ];
  for (const [port, matching, whole, taps] of cases) {
    const rules = book.at(port);
    assert.deepEqual(idsOf(rules.matching), matching);
    assert.equal(rules.whole?.id, whole);
    assert.deepEqual(idsOf(rules.taps), taps);
    assert.equal(rules.isAboutRequests, matching.length > 0);
  }
});

Deno.test("RuleBook makes one list of those of all copies, in the order of their names", () => {
  const book = new RuleBook();
  book.tell(list("m-1", rule("b", { manager: "m-1" }), rule("x")));
  const former = rule("b", { manager: "m-2" });
  book.tell(list("m-0", rule("a"), rule("x"), former));
  assert.deepEqual(idsOf(book.rules), ["a", "x", "b"]);
  // The copy that holds the laptop says so itself.
  assert.equal(book.find("b")!.manager, "m-1");
  // When two do, the one that spoke last.
  book.tell(list("m-0", rule("b")));
  assert.equal(book.find("b")!.manager, "m-0");
  book.tell(list("m-0"));
  assert.deepEqual(idsOf(book.rules), ["b", "x"]);
  assert.deepEqual(book.at(web).whole?.id, "b");
  book.tell(list("m-1"));
  assert.equal(book.at(web).whole, undefined);
});

Deno.test("RuleBook believes a lost copy for a minute", () => {
  const book = new RuleBook();
  book.tell(list("m-0", rule("a")));
  book.lose("m-0", 1000);
  book.lose("m-0", 30_000); // the first time counts
  assert.equal(book.forget(1000 + memoryMs - 1), false);
  assert.deepEqual(idsOf(book.rules), ["a"]);
  assert.equal(book.forget(1000 + memoryMs), true);
  assert.deepEqual(idsOf(book.rules), []);
  book.tell(list("m-0", rule("a")));
  assert.equal(book.forget(1000 + 10 * memoryMs), false);
  assert.deepEqual(idsOf(book.rules), ["a"]);
});

Deno.test("RuleBook takes the word of a copy that is there against that of a lost one", () => {
  const book = new RuleBook();
  book.tell(list("m-0", rule("a"), rule("b")));
  book.lose("m-0", 0);
  book.tell(list("m-1", rule("a", { manager: "m-1" })));
  assert.equal(book.find("a")!.manager, "m-1");
  assert.equal(book.find("b")!.manager, "m-0");
  // Whoever told of it last has withdrawn it.
  book.tell(list("m-1"));
  assert.deepEqual(idsOf(book.rules), ["b"]);
});
