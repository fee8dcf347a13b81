import assert from "node:assert/strict";
import { parseWithheldNames } from "./install.ts";

Deno.test("tp install --exclude-env takes names and patterns, and none", async () => {
  for (const text of ["DB_PASSWORD", "*_TOKEN", "spring.key", ""]) {
    assert.equal(await parseWithheldNames(text), text);
  }
});

Deno.test("tp install --exclude-env refuses what names no variable", async () => {
  for (const text of ["A B", "A=B", "$A", "A\nB"]) {
    await assert.rejects(parseWithheldNames(text), {
      name: "SyntaxError",
      message:
        `--exclude-env: Cannot withhold "${text}": it names no environment variable`,
    });
  }
});
