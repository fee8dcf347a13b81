import assert from "node:assert/strict";
import {
  AliasNotFoundError,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { faultOf, noSuchCommand, notUnderstood } from "./_understood.ts";

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
    // As in the executable, where classes have short names.
    [new (class a extends AliasNotFoundError {})("z"), "there is no flag -z"],
    [
      new EnumValidationError("output" as never, "xml", ["text", "yaml"], [
        "yaml",
      ]),
      'Cannot use "xml" for --output: it is none of text, yaml',
    ],
    [
      new UnexpectedFlagError("name" as never, "a", "b"),
      '--name is given twice, "a" and "b"',
    ],
    [
      new UnsatisfiedFlagError("name" as never),
      "nothing stands behind --name",
    ],
    [new UnexpectedPositionalError(0, "b"), '"b" is one argument too many'],
    [new UnsatisfiedPositionalError("name" as never), "NAME is missing"],
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

Deno.test("noSuchCommand() names the nearest one, and the help that lists them", () => {
  assert.equal(
    noSuchCommand({
      input: "conect",
      corrections: ["`connect`"],
    }),
    'tp: there is no command "conect"; did you mean `connect`?\n' +
      "    `tp --help` lists the commands",
  );
  assert.equal(
    noSuchCommand({ input: "foo", corrections: [], group: "daemon" }),
    'tp: there is no command "foo"\n    `tp daemon --help` lists the commands',
  );
});
