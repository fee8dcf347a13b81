import assert from "node:assert/strict";
import {
  AliasNotFoundError,
  ArgumentParseError,
  FlagNotFoundError,
} from "@stricli/core";
import { faultOf, notUnderstood } from "./_understood.ts";

Deno.test("notUnderstood() says once what is wrong, and which help tells more", () => {
  const exception = new SyntaxError('Cannot read header "a": it is none');
  const table: [error: unknown, cause: string][] = [
    [
      new ArgumentParseError("http-header" as never, "a", exception),
      'Cannot read header "a": it is none',
    ],
    [new FlagNotFoundError("bogus", []), "there is no flag --bogus"],
    [
      new FlagNotFoundError("httpheader", ["httpHeader"]),
      "there is no flag --httpheader; did you mean --http-header?",
    ],
    [new AliasNotFoundError("z"), "there is no flag -z"],
    [new SyntaxError("Cannot read port"), "Cannot read port"],
  ];
  for (const [error, cause] of table) {
    assert.equal(
      notUnderstood(error, "intercept"),
      `tp: ${cause}\n    \`tp intercept --help\` tells what it takes`,
    );
  }
});

Deno.test("faultOf() sees a missing command and a flag with an empty value", () => {
  const fault = (own: string[], userCommand?: string[]) =>
    faultOf({ own, userCommand })?.message;
  assert.equal(
    fault(["intercept", "a", "--mount=x"], ["ls", "--a="]),
    undefined,
  );
  assert.equal(fault(["connect"], []), "a command is missing behind `--`");
  assert.match(fault(["list", "--namespace="]) ?? "", /the = of --namespace=$/);
});
