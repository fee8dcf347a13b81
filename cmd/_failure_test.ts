import assert from "node:assert/strict";
import { failureKinds } from "../connector/api.ts";
import { errorText } from "./_error.ts";
import { failureError } from "./_failure.ts";

Deno.test("failureError() has one sentence of remedy for every kind", () => {
  for (const kind of failureKinds) {
    const { remedy } = failureError({ kind, cause: "Cannot" });
    assert.match(remedy, /^\S.*[^.\s]$/, kind);
  }
});

Deno.test("failureError() tells cause, details and remedy on a line each", () => {
  const error = failureError({
    kind: "forbidden",
    cause: "Cannot do it: no\n  right",
    details: ["Missing: get pods"],
    adminCommands: ["tp install", "kubectl create"],
  });
  assert.equal(
    errorText(error),
    [
      "tp: Cannot do it: no right",
      "    Missing: get pods",
      "    Ask an admin of the cluster to run `tp install` and `kubectl create`",
    ].join("\n"),
  );
});
