import assert from "node:assert/strict";
import { LogFile, logFilePaths } from "./log_file.ts";

const options = { maxBytes: 1000, former: 2 };

async function inDirectory(
  work: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/a.log`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("LogFile keeps the last lines in a bounded number of bounded files", () =>
  inDirectory(async (path) => {
    {
      using log = new LogFile(path, options);
      for (let i = 0; i < 1000; i++) log.write(`line ${i}`);
    }
    const texts = await Promise.all(
      logFilePaths(path, options).map((one) => Deno.readTextFile(one)),
    );
    const lines = texts.join("").trim().split("\n");
    const first = Number(lines[0]!.slice(5));
    assert.ok(lines.length > 150 && lines.length < 400, `${lines.length}`);
    assert.deepEqual(
      lines,
      Array.from({ length: 1000 - first }, (_, i) => `line ${first + i}`),
    );
    for (const text of texts) assert.ok(text.length <= options.maxBytes);
    const directory = path.slice(0, path.lastIndexOf("/"));
    const names: string[] = [];
    for await (const { name } of Deno.readDir(directory)) {
      names.push(name);
      const { mode } = await Deno.stat(`${directory}/${name}`);
      assert.equal(mode! & 0o777, 0o600, name);
    }
    assert.deepEqual(names.sort(), ["a.log", "a.log.1", "a.log.2"]);
  }));

Deno.test("LogFile goes on in a file that is there, and stays the file that others have open", () =>
  inDirectory(async (path) => {
    await Deno.writeTextFile(path, "before\n", { mode: 0o600 });
    using other = await Deno.open(path, { append: true });
    using log = new LogFile(path, options);
    log.write("x".repeat(990));
    log.write("after");
    await other.write(new TextEncoder().encode("other\n"));
    assert.equal(await Deno.readTextFile(path), "after\nother\n");
    const full = await Deno.readTextFile(`${path}.1`);
    assert.match(full, /^before\nx/);
  }));

Deno.test("two processes turn one log once", () =>
  inDirectory(async (path) => {
    using one = new LogFile(path, options);
    using two = new LogFile(path, options);
    for (let i = 0; i < 9; i++) {
      one.write(`${"1".repeat(50)}`);
      two.write(`${"2".repeat(50)}`);
    }
    for (let i = 0; i < 4; i++) one.write("1".repeat(50));
    for (let i = 0; i < 11; i++) two.write("2".repeat(50));
    for (let i = 0; i < 7; i++) one.write("1".repeat(50));
    const { size } = await Deno.stat(path);
    assert.ok(size <= options.maxBytes, `${size}`);
    assert.ok((await Deno.stat(`${path}.1`)).size > 0);
    assert.equal(
      await Deno.stat(`${path}.2`).catch(() => undefined),
      undefined,
    );
  }));
