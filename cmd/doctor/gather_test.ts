import assert from "node:assert/strict";
import { lookupFailure } from "./gather.ts";

Deno.test("lookupFailure() is in words", () => {
  const table: [message: string, code: string | undefined, told: string][] = [
    ["getaddrinfo ENOTFOUND a.b", "ENOTFOUND", "there is no such name"],
    ["getaddrinfo EAI_AGAIN a.b", "EAI_AGAIN", "no nameserver answers for it"],
    [
      'proto error: no records found for Query { name: Name("a.b.") }',
      undefined,
      "no records come",
    ],
    ["no answer within 10 s\nat x", undefined, "no answer within 10 s"],
  ];
  for (const [message, code, told] of table) {
    const error = { message, ...code === undefined ? {} : { code } };
    assert.equal(lookupFailure(error), told);
  }
});
