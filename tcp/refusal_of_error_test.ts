import assert from "node:assert/strict";
import { RefusedError } from "../net/mod.ts";
import { refusalOfError } from "./refusal_of_error.ts";

const withCode = (code: string) => Object.assign(new Error("no"), { code });

const table: [error: unknown, refusal: string][] = [
  [withCode("ECONNREFUSED"), "refused"],
  [withCode("EHOSTUNREACH"), "unreachable"],
  [withCode("ENETUNREACH"), "unreachable"],
  [withCode("ETIMEDOUT"), "timeout"],
  [withCode("EACCES"), "forbidden"],
  [withCode("EMFILE"), "overloaded"],
  [withCode("EADDRNOTAVAIL"), "overloaded"],
  [withCode("EOTHER"), "failed"],
  [new Deno.errors.ConnectionRefused("no"), "refused"],
  [new DOMException("late", "TimeoutError"), "timeout"],
  [new DOMException("off", "AbortError"), "gone"],
  [new RefusedError("overloaded", "full"), "overloaded"],
  [new Error("other"), "failed"],
  ["text", "failed"],
];

for (const [error, refusal] of table) {
  Deno.test(`refusalOfError() makes "${refusal}" of ${JSON.stringify(error)} ${error}`, () => {
    assert.equal(refusalOfError(error).refusal, refusal);
  });
}

Deno.test("refusalOfError() knows the kernel's own refusal", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await Deno.connect({ hostname: "127.0.0.1", port }).then(
    (conn) => conn.close(),
    (error) => error,
  );
  assert.equal(refusalOfError(error).refusal, "refused");
});
