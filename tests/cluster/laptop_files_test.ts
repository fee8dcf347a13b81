import assert from "node:assert/strict";
import { run } from "./command.ts";
import { quote, writeFile } from "./laptop_files.ts";

Deno.test("quote() brings any text through a shell unchanged", async () => {
  const text = 'it\'s $HOME "and" \\ `that`\n';
  const { stdout } = await run(["sh", "-c", `printf %s ${quote(text)}`]);
  assert.equal(stdout, text);
});

Deno.test("writeFile() replaces a symbolic link instead of following it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/target`, "untouched");
    await Deno.symlink("target", `${directory}/file`);
    await run(["sh", "-euc", writeFile(`${directory}/file`, "text", "640")]);
    assert.equal(await Deno.readTextFile(`${directory}/file`), "text");
    assert.equal(await Deno.readTextFile(`${directory}/target`), "untouched");
    const { isSymlink, mode } = await Deno.lstat(`${directory}/file`);
    assert.equal(isSymlink, false);
    assert.equal((mode ?? 0) & 0o777, 0o640);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
