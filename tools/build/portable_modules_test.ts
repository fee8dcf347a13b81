import assert from "node:assert/strict";
import type { Bundle } from "./bundle.ts";
import { findEsbuild } from "./esbuild.ts";
import { portableModules } from "./portable_modules.ts";

const hasEsbuild = await findEsbuild().then(() => true, () => false);

function bundleOf(modules: Record<string, string>): Bundle {
  return {
    modules: new Map(Object.entries(modules)),
    main: "main.js",
    workers: new Map([["./worker.ts", "vpn-worker.js"]]),
  };
}

Deno.test({
  name:
    "portableModules() puts what is imported statically into the start, the rest into the archive",
  ignore: !hasEsbuild,
  fn: async () => {
    const { main, archive, lazyCount } = await portableModules(
      bundleOf({
        "main.js":
          'import{a}from"./shared.js";console.log(a,await import("./lazy.js"));',
        "shared.js": 'export const a="shared text";',
        "lazy.js":
          'import{a}from"./shared.js";export const b=a+"lazy text"+import.meta.url;',
        "vpn-worker.js": 'postMessage("worker text")',
      }),
      1000,
    );
    const archived = new TextDecoder().decode(archive);
    assert.equal(lazyCount, 2);
    assert.match(main, /shared text/);
    assert.match(archived, /lazy text.*worker text/s);
    assert.doesNotMatch(main, /lazy text|worker text/);
    assert.doesNotMatch(archived, /shared text/);
    const at = archived.indexOf("postMessage");
    assert.match(
      main,
      new RegExp(`"vpn-worker.js":\\[${1000 + at},\\d+\\]`),
    );
  },
});

Deno.test({
  name:
    "portableModules() refuses a top-level await in what is loaded on demand",
  ignore: !hasEsbuild,
  fn: async () => {
    await assert.rejects(
      portableModules(
        bundleOf({
          "main.js": 'import("./lazy.js");',
          "lazy.js": "await 1;export const b=1;",
        }),
        0,
      ),
      /Top-level await is currently not supported with the "cjs"/,
    );
  },
});

Deno.test({
  name: "portableModules() keeps the disposal of what is used once",
  ignore: !hasEsbuild,
  fn: async () => {
    const text = "export function run(open){using file=open();file.write()}";
    const { main, archive } = await portableModules(
      bundleOf({
        "main.js": `import("./lazy.js");${text}run(Date)`,
        "lazy.js": text,
      }),
      0,
    );
    for (const made of [main, new TextDecoder().decode(archive)]) {
      assert.match(made, /\busing \w+=/);
    }
  },
});
