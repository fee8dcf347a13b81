import assert from "node:assert/strict";
import { replaceWorkerUrls } from "./bundle.ts";

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
