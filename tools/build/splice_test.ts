/** The stub is spliced into a small C program here, which shows what Deno would be given. */
import assert from "node:assert/strict";
import { archiveOffset, splice } from "./splice.ts";
import { compileStub } from "./stub.ts";
import { run } from "./run.ts";

const hasCompiler = Deno.build.os === "linux" &&
  await run("gcc", ["--version"]).then(() => true, () => false);

/** Prints its arguments, the main module, its environment and the kernel's view of the first word. */
const baseSource = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char **environ;
static char constructed[64];
__attribute__((constructor)) static void construct(int argc, char **argv) {
  snprintf(constructed, sizeof constructed, "%d %s", argc, argv[argc - 1]);
}
int main(int argc, char **argv, char **envp) {
  char text[4096];
  for (int i = 0; i < argc; i++) printf("argument %s\\n", argv[i]);
  printf("constructor %s\\n", constructed);
  FILE *module = fopen("/proc/self/fd/100", "r");
  if (module && fgets(text, sizeof text, module)) printf("module %s\\n", text);
  if (module) fclose(module);
  setenv("ADDED", "1", 1);
  unsetenv("REMOVED");
  for (char **at = environ; *at; at++) printf("environment %s\\n", *at);
  printf("main %d\\n", envp[0] && strcmp(envp[0], "FIRST=1") == 0);
  printf("descriptors %d\\n", dup(0));
  return 5;
}
`;

async function spliced(directory: string): Promise<string> {
  await Deno.writeTextFile(`${directory}/base.c`, baseSource);
  await run("gcc", [
    "-fPIC", // so that it reaches `environ` through the GOT, as Deno does
    "-pie",
    "-o",
    `${directory}/base`,
    `${directory}/base.c`,
  ]);
  const base = await Deno.readFile(`${directory}/base`);
  const file = splice(base, {
    stub: await compileStub(Deno.build.arch),
    flags: ["run", "--flag"],
    archive: new TextEncoder().encode("archived"),
    main: new TextEncoder().encode("the module"),
  });
  const at = archiveOffset(base);
  assert.equal(
    new TextDecoder().decode(file.subarray(at, at + 8)),
    "archived",
  );
  await Deno.writeFile(`${directory}/spliced`, file, { mode: 0o755 });
  return `${directory}/spliced`;
}

Deno.test({
  name:
    "splice() makes a program that gives its base other arguments, environment and a module",
  ignore: !hasCompiler,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    const program = await spliced(directory);
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: ["--", "", "ü"],
      clearEnv: true,
      env: {
        FIRST: "1",
        REMOVED: "1",
        DENO_DIR: "/elsewhere",
        NODE_OPTIONS: "x",
      },
    }).output();
    const lines = new TextDecoder().decode(stdout).split("\n");
    const told = (what: string) =>
      lines.filter((line) => line.startsWith(`${what} `))
        .map((line) => line.slice(what.length + 1));
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(code, 5);
    assert.deepEqual(told("argument"), ["tp", "run", "--flag", "--", "", "ü"]);
    assert.deepEqual(told("constructor"), ["6 ü"]);
    assert.deepEqual(told("module"), ["the module"]);
    assert.deepEqual(told("environment").toSorted(), [
      "ADDED=1",
      Deno.uid() === 0 ? "DENO_DIR=/var/cache/tp" : "DENO_DIR=/proc/nocache",
      "DENO_DISABLE_NODE_SHIM=1",
      "DENO_NO_UPDATE_CHECK=1",
      "FIRST=1",
    ]);
    assert.deepEqual(told("main"), ["1"]);
    assert.deepEqual(told("descriptors"), ["3"]);
    await Deno.remove(directory, { recursive: true });
  },
});

Deno.test("splice() refuses a stub without its table", () => {
  const stub = { image: new Uint8Array(128), entry: 0 };
  const nothing = new Uint8Array(0);
  assert.throws(
    () =>
      splice(new Uint8Array(0x400), {
        stub,
        flags: [],
        archive: nothing,
        main: nothing,
      }),
    /no table in front/,
  );
});
