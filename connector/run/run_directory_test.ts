import assert from "node:assert/strict";
import { freshRunDirectory } from "./run_directory.ts";

Deno.test("freshRunDirectory() removes what killed processes left, and nothing else", async () => {
  const base = await Deno.makeTempDir();
  const before = Deno.env.get("XDG_RUNTIME_DIR");
  Deno.env.set("XDG_RUNTIME_DIR", base);
  try {
    const gone = new Deno.Command("true").spawn();
    await gone.status;
    for (const name of [`tp-${gone.pid}`, `tp-${Deno.ppid}`, "tp-x", "tp"]) {
      await Deno.mkdir(`${base}/${name}`);
      await Deno.writeTextFile(`${base}/${name}/file`, "");
    }
    assert.equal(await freshRunDirectory(), `${base}/tp-${Deno.pid}`);
    const left: string[] = [];
    for await (const { name } of Deno.readDir(base)) left.push(name);
    assert.deepEqual(left.sort(), ["tp", `tp-${Deno.ppid}`, "tp-x"].sort());
  } finally {
    if (before === undefined) Deno.env.delete("XDG_RUNTIME_DIR");
    else Deno.env.set("XDG_RUNTIME_DIR", before);
    await Deno.remove(base, { recursive: true });
  }
});
