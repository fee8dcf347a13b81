import assert from "node:assert/strict";
import { WithheldNames } from "./withheld_names.ts";

const environment = {
  COLOR: "green",
  DB_PASSWORD: "x",
  "db.host": "y",
  dbxhost: "z",
};

const table: { text: string; left: string[] }[] = [
  { text: "", left: ["COLOR", "DB_PASSWORD", "db.host", "dbxhost"] },
  { text: "COLOR", left: ["DB_PASSWORD", "db.host", "dbxhost"] },
  { text: "OLOR, DB_", left: ["COLOR", "DB_PASSWORD", "db.host", "dbxhost"] },
  { text: " *_PASSWORD ,db.host", left: ["COLOR", "dbxhost"] },
  { text: "*", left: [] },
];

Deno.test("WithheldNames leaves what no name or pattern means", () => {
  for (const { text, left } of table) {
    const given = WithheldNames.parse(text).without(environment);
    assert.deepEqual(Object.keys(given), left, text);
  }
});

Deno.test("WithheldNames takes no name that no variable has", () => {
  for (const text of ["A=B", "A B", "(a+)+"]) {
    assert.throws(() => WithheldNames.parse(text), SyntaxError, text);
  }
});
