import assert from "node:assert/strict";
import { CommandError } from "./_error.ts";
import { writeEnvFiles } from "./_env_file.ts";

Deno.test("writeEnvFiles() writes files that are their owner's alone, also over those that were not", async () => {
  const directory = await Deno.makeTempDir();
  const [envFile, envJson] = [`${directory}/env`, `${directory}/env.json`];
  await Deno.writeTextFile(envFile, "x".repeat(1000), { mode: 0o644 });
  const warnings: string[] = [];
  await writeEnvFiles(
    { A: "1", B: "x\ny" },
    { envFile, envJson },
    (line) => warnings.push(line),
  );
  assert.equal(await Deno.readTextFile(envFile), "A=1\n");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /is without B: --env-syntax docker cannot/);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(envJson)), {
    A: "1",
    B: "x\ny",
  });
  for (const path of [envFile, envJson]) {
    const { mode } = await Deno.stat(path);
    assert.equal((mode ?? 0) & 0o777, 0o600, path);
  }
  const unwritable = [
    [`${directory}/no/env`, `there is no directory "${directory}/no"`],
    [directory, "it is a directory"],
    [`${envFile}/env`, `"${envFile}" is no directory`],
  ] as const;
  for (const [path, state] of unwritable) {
    await assert.rejects(
      writeEnvFiles({}, { envFile: path }, () => {}),
      new CommandError(
        `Cannot write "${path}": ${state}`,
        "Give another file, or make its directory first",
      ),
    );
  }
  await Deno.remove(directory, { recursive: true });
});
