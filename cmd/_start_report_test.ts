import assert from "node:assert/strict";
import { readFailure, reportFailure } from "./_start_report.ts";

Deno.test("readFailure() reads what reportFailure() wrote", () => {
  let written = "";
  const failure = { kind: "disk-full", cause: "Cannot" } as const;
  const stdout = { write: (text: string) => void (written += text) };
  reportFailure({ stdout }, failure);
  assert.deepEqual(readFailure(written), failure);
});

Deno.test("readFailure() takes nothing else for a failure", () => {
  const others = ["", "sudo: no", "{}", '{"kind":"other","cause":"Cannot"}'];
  for (const output of others) {
    assert.equal(readFailure(output), undefined, output);
  }
});
