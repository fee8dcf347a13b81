import assert from "node:assert/strict";
import { join } from "node:path";
import { notWritten } from "./_not_written.ts";

/** Why a file of that name in a directory of its own cannot be written, by what the system says. */
async function stateOf(path: string): Promise<string> {
  const cause = await Deno.writeTextFile(path, "").then(
    () => assert.fail(`"${path}" can be written`),
    (error) => error,
  );
  const { message } = await notWritten(path, "Give another file", cause);
  const [, state] = /^Cannot write "[^"]*": (.*)$/.exec(message) ?? [];
  return state ?? message;
}

Deno.test("notWritten() says what is missing: the directory, or that to which a link leads", async () => {
  const place = await Deno.makeTempDir();
  try {
    const [missing, link] = ["missing", "link"].map((one) => join(place, one));
    await Deno.symlink(missing!, link!);
    const table: [path: string, state: string][] = [
      [join(missing!, "file"), `there is no directory "${missing}"`],
      [join(link!, "file"), `there is no directory "${link}"`],
      [place, "it is a directory"],
    ];
    for (const [path, state] of table) {
      assert.equal(await stateOf(path), state);
    }
    await Deno.symlink(join(missing!, "file"), join(place, "to-file"));
    assert.equal(
      await stateOf(join(place, "to-file")),
      "it is a link that leads nowhere",
    );
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});
