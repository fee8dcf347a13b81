import assert from "node:assert/strict";
import { WayMemory } from "./way_memory.ts";

const here = { context: "here", server: new URL("https://one.test:6443") };
const there = { context: "there", server: new URL("https://two.test:6443") };

async function inScratch(
  test: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(`${directory}/cache/ways.json`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("WayMemory tells another process what worked, for each cluster, in a file of the user's own", () =>
  inScratch(async (path) => {
    await new WayMemory({ path }).note(here, "exec");
    await new WayMemory({ path }).note(there, "spdy");
    await new WayMemory({ path }).note(here, "kubectl");
    const memory = new WayMemory({ path });
    assert.equal(await memory.recall(here), "kubectl");
    assert.equal(await memory.recall(there), "spdy");
    assert.equal(await memory.recall({ ...here, context: "x" }), undefined);
    assert.equal(await memory.recall({ ...there, context: "here" }), undefined);
    const { mode } = await Deno.stat(path);
    assert.equal(mode! & 0o777, 0o600);
    const names: string[] = [];
    const directory = path.slice(0, path.lastIndexOf("/"));
    for await (const { name } of Deno.readDir(directory)) names.push(name);
    assert.deepEqual(names, ["ways.json"]);
  }));

Deno.test("WayMemory gives the better ways another chance after a week, and trusts no entry of the future", () =>
  inScratch(async (path) => {
    let day = 20_000;
    const memory = new WayMemory({ path, now: () => day * 86_400_000 });
    await memory.note(here, "exec");
    day += 6;
    assert.equal(await memory.recall(here), "exec");
    day += 1;
    assert.equal(await memory.recall(here), undefined);
    day -= 8;
    assert.equal(await memory.recall(here), undefined);
  }));

Deno.test("WayMemory takes a damaged file for none, and mends it", () =>
  inScratch(async (path) => {
    const memory = new WayMemory({ path });
    const name = `${here.context} ${here.server.href}`;
    const damaged = [
      ...["", "{", "null", "[1]", '"x"', "x".repeat(100_000)],
      JSON.stringify({ [name]: { way: "teleport", at: Date.now() } }),
      JSON.stringify({ [name]: { way: "exec", at: "soon" } }),
      JSON.stringify({ [name]: null }),
    ];
    for (const text of damaged) {
      await memory.note(there, "spdy");
      await Deno.writeTextFile(path, text);
      assert.equal(await memory.recall(here), undefined, text);
      await memory.note(here, "exec");
      assert.equal(await memory.recall(here), "exec", text);
    }
  }));

Deno.test("WayMemory forgets the oldest of many clusters, and goes without a file it cannot write", () =>
  inScratch(async (path) => {
    const memory = new WayMemory({ path });
    const key = (i: number) => ({ ...here, context: `context ${i}` });
    for (let i = 0; i < 65; i++) await memory.note(key(i), "spdy");
    assert.equal(await memory.recall(key(0)), undefined);
    assert.equal(await memory.recall(key(1)), "spdy");
    const blocked = new WayMemory({ path: `${path}/below/a/file` });
    await blocked.note(here, "spdy");
    assert.equal(await blocked.recall(here), undefined);
  }));
