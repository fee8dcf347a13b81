import assert from "node:assert/strict";
import { CommandError, errorText } from "./_error.ts";
import { printable } from "./_printable.ts";

Deno.test("printable() leaves text as it is, but for what a terminal would obey", () => {
  const plain = "a line\n\tand an ä 漢 🚀";
  assert.equal(printable(plain), plain);
  assert.equal(printable("a\x1b[2Jb\rc\x07d\x9be\u202ef"), "a�[2Jb�c�d�e�f");
});

Deno.test("errorText() shows what a cluster says, and a terminal obeys nothing of it", () => {
  const error = new CommandError("Cannot do \x1b[31mit", "Read\x07 this");
  assert.equal(errorText(error), "tp: Cannot do �[31mit\n    Read� this");
});
