import assert from "node:assert/strict";
import { nearest } from "./nearest.ts";

const names = ["name", "namespace", "ports", "httpHeaders", "toPod"];

const table: [text: string, near: string | undefined][] = [
  ["prots", "ports"],
  ["port", "ports"],
  ["namespac", "namespace"],
  ["nmae", "name"],
  ["httpHeader", "httpHeaders"],
  ["http-headers", "httpHeaders"],
  ["topod", "toPod"],
  ["colour", undefined],
  ["x", undefined],
  ["", undefined],
];

for (const [text, near] of table) {
  Deno.test(`nearest() finds ${near ?? "nothing"} for "${text}"`, () => {
    assert.equal(nearest(text, names), near);
  });
}
