import assert from "node:assert/strict";
import { ListeningMark } from "./listening_mark.ts";

Deno.test("a directory that is not there does not keep an agent from serving", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.remove(directory);
  await using mark = await ListeningMark.open(`${directory}/listening`);
  await mark.set();
});

Deno.test("a mark that cannot be set is told", async () => {
  const file = await Deno.makeTempFile();
  try {
    await assert.rejects(async () => {
      await using mark = await ListeningMark.open(`${file}/listening`);
      await mark.set();
    });
  } finally {
    await Deno.remove(file);
  }
});
