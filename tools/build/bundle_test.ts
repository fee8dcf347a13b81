import assert from "node:assert/strict";
import { bundle, replaceWorkerUrls, withPlainNames } from "./bundle.ts";
import { findEsbuild } from "./esbuild.ts";

const hasEsbuild = await findEsbuild().then(() => true, () => false);

const workers = new Map([["./worker.ts", "vpn-worker.js"]]);

Deno.test("replaceWorkerUrls() replaces the URL of a worker, minified or not", () => {
  for (const space of ["", " "]) {
    const text = `new Worker(new URL("./worker.ts",${space}import.meta.url))`;
    assert.equal(
      replaceWorkerUrls(text, workers, (name) => `place("${name}")`),
      'new Worker(place("vpn-worker.js"))',
    );
  }
});

Deno.test("replaceWorkerUrls() leaves other URLs alone", () => {
  const text = 'new URL("./main.ts",import.meta.url),new URL("./a.ts",x)';
  assert.equal(replaceWorkerUrls(text, workers, () => "wrong"), text);
});

Deno.test("replaceWorkerUrls() refuses a worker that does not exist", () => {
  const text = 'new URL("./other_worker.ts",import.meta.url)';
  assert.throws(
    () => replaceWorkerUrls(text, workers, (name) => name),
    /Cannot bundle the worker ".\/other_worker.ts": no such file/,
  );
});

Deno.test("withPlainNames() names modules by the order in which they are met", () => {
  const modules = (x: string, y: string, z: string) =>
    new Map([
      [`chunk-${x}.js`, "1"],
      [`chunk-${y}.js`, `import"./chunk-${x}.js";"./kept.js"`],
      ["main.js", `import"./chunk-${y}.js";import("./a_run-${z}.js")`],
      [`a_run-${z}.js`, `import"./chunk-${x}.js"`],
    ]);
  const expected = [
    ["main.js", 'import"./chunk.js";import("./a_run.js")'],
    ["chunk.js", 'import"./chunk2.js";"./kept.js"'],
    ["a_run.js", 'import"./chunk2.js"'],
    ["chunk2.js", "1"],
  ];
  for (const [x, y] of [["AAAAAAAA", "BBBBBBB2"], ["ZZZZZZZZ", "CCCCCCC3"]]) {
    const named = withPlainNames(modules(x!, y!, `${x!.slice(1)}4`));
    assert.deepEqual([...named], expected);
  }
});

Deno.test({
  name:
    "bundle() makes a program small and keeps the disposal of what is used once",
  ignore: !hasEsbuild,
  fn: async () => {
    const root = await Deno.makeTempDir();
    try {
      const text = `// A comment.
        export function run(openFile: () => Deno.FsFile): void {
          using file = openFile();
          file.syncSync();
        }
        console.log(run);`;
      await Deno.writeTextFile(`${root}/main.ts`, text);
      const { modules, main } = await bundle(root);
      const made = modules.get(main)!;
      assert.match(made, /\busing \w+=/);
      assert.doesNotMatch(made, /comment|openFile/);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "bundle() gives a CommonJS module a require that loads nothing by itself",
  ignore: !hasEsbuild,
  fn: async () => {
    const root = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(
        `${root}/main.ts`,
        'import path from "./path.cjs"; console.log(path);',
      );
      await Deno.writeTextFile(
        `${root}/path.cjs`,
        'module.exports = require("node:path").sep;',
      );
      const { modules, main } = await bundle(root);
      const made = modules.get(main)!;
      assert.match(made, /process\.getBuiltinModule/);
      assert.doesNotMatch(made, /createRequire|from"node:/);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
