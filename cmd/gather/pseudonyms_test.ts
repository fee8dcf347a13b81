import assert from "node:assert/strict";
import { pseudonymizer } from "./pseudonyms.ts";

Deno.test("pseudonymizer() gives one name one pseudonym, in texts and file names", () => {
  const hide = pseudonymizer([
    { kind: "workload", name: "web" },
    { kind: "workload", name: "shop" },
    { kind: "pod", name: "web-7d4b-x2" },
    { kind: "pod", name: "web-7d4b-y3" },
    { kind: "namespace", name: "shop.eu" },
    { kind: "namespace", name: "shop.eu" },
    { kind: "user", name: "a" },
  ]);
  assert.equal(hide("web-7d4b-y3.shop.eu.log"), "pod-2.namespace-1.log");
  assert.equal(
    hide('"pod":"web-7d4b-x2","of":"web","in":"shop.eu"'),
    '"pod":"pod-1","of":"workload-1","in":"namespace-1"',
  );
});

Deno.test("pseudonymizer() leaves longer words and short names alone", () => {
  const hide = pseudonymizer([
    { kind: "workload", name: "web" },
    { kind: "namespace", name: "shop.eu" },
    { kind: "user", name: "a" },
  ]);
  const text = "webhook web_1 my-web a shopXeu";
  assert.equal(hide(text), text);
});
