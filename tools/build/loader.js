/**
 * How the portable executable finds its own modules. This file becomes part of the main module.
 *
 * Deno takes a file without an extension for TypeScript, and /proc/self/fd/100 has none (the main module is told apart by
 * `--ext`). Further modules therefore do not pass through Deno's module loader: they are CommonJS functions, read from
 * the executable's own archive when they are first asked for. That also saves Deno's own parse of them.
 */

/** The modules that have been asked for, by file name; each `{ exports }`, as CommonJS has it. */
const modules = new Map();
/** Where the others are in the executable: `[offset, length]` in bytes, by file name. */
let archive = {};

/** Takes the modules that are part of the main module and the places of the others, before any of them is used. */
export function setUp(eager, places) {
  // What the stub put into the environment is not for the programs that this one starts.
  for (const name of ["DIR", "NO_UPDATE_CHECK", "DISABLE_NODE_SHIM"]) {
    Deno.env.delete(`DENO_${name}`);
  }
  for (const [name, exports] of Object.entries(eager)) {
    modules.set(name, { exports });
  }
  archive = places;
}

/** `import("./NAME")` */
// deno-lint-ignore require-await -- what a module throws rejects, as with import()
export async function tpLoad(name) {
  return require(`./${name}`);
}

/** `new URL("./worker.ts", import.meta.url)`: a script that evaluates the worker's module in the worker. */
export function tpWorkerUrl(name) {
  const [offset, length] = archive[name];
  const values = [name, offset, length].map((value) => JSON.stringify(value));
  const script = `(${evaluate})(${values},${builtin})`;
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`);
}

function require(specifier) {
  if (!specifier.startsWith("./")) return builtin(specifier);
  const name = specifier.slice(2);
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const [offset, length] = archive[name];
  const module = { exports: {} };
  modules.set(name, module); // before it is evaluated: modules may import each other in a circle
  try {
    evaluate(name, offset, length, require, module, tpLoad, tpWorkerUrl);
  } catch (error) {
    modules.delete(name);
    throw error;
  }
  return module.exports;
}

// The two functions below refer to nothing outside of themselves: their text is also the script of a worker.

function builtin(id) {
  const found = process.getBuiltinModule(id);
  if (found !== undefined) return found;
  throw new Error(`Cannot find module "${id}"`);
}

function evaluate(name, offset, length, ...given) {
  const file = Deno.openSync("/proc/self/exe");
  file.seekSync(offset, 0);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = file.readSync(bytes.subarray(done));
    if (count === null) throw new Error(`Cannot read "${name}": cut short`);
    done += count;
  }
  file.close();
  const text = new TextDecoder().decode(bytes);
  const parameters = "require,module,tpLoad,tpWorkerUrl";
  new Function(
    parameters,
    `"use strict";${text}\n//# sourceURL=tp:${name}`,
  )(...given);
}
