import assert from "node:assert/strict";
import { mustBeAlone } from "./_local_only.ts";

Deno.test("mustBeAlone() names what --local-only would leave without effect", () => {
  mustBeAlone({ localOnly: true });
  mustBeAlone({ port: [{ laptop: 80 }], envFile: "e" });
  assert.throws(
    () =>
      mustBeAlone({ localOnly: true, port: [{ laptop: 80 }], envFile: "e" }),
    /^SyntaxError: Cannot have --port and --env-file with --local-only: /,
  );
});
