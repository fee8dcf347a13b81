import assert from "node:assert/strict";
import { CommandError } from "../_error.ts";
import { Handler } from "./handler.ts";

/** A handler in a directory of its own, ended with the test. */
async function place(name = "web") {
  const directory = await Deno.makeTempDir();
  const handler = new Handler(name, `${directory}/handlers`);
  return {
    handler,
    directory,
    async [Symbol.asyncDispose]() {
      await handler.stop();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function written(handler: Handler, text: RegExp): Promise<string> {
  for (;;) {
    const log = await Deno.readTextFile(handler.logPath).catch(() => "");
    if (text.test(log)) return log;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("Handler.start() runs a program in the background, with its environment and log", async () => {
  await using one = await place();
  const { handler, directory } = one;
  const argv = ["sh", "-c", "echo $COLOR $PWD; echo oh >&2; exec sleep 60"];
  const command = { argv, directory };
  assert.equal(await handler.state(command, {}), "none");
  await handler.start(command, { COLOR: "blue" });
  assert.equal(await written(handler, /oh/), `blue ${directory}\noh\n`);
  assert.equal((await Deno.stat(handler.logPath)).mode! & 0o777, 0o600);
  assert.equal(await handler.state(command, { COLOR: "blue" }), "same");
  assert.equal(await handler.state(command, { COLOR: "red" }), "other");
  assert.equal(await handler.state(undefined, { COLOR: "blue" }), "other");
  const other = { ...command, argv: ["sleep", "61"] };
  assert.equal(await handler.state(other, { COLOR: "blue" }), "other");
  const notes = await Deno.readTextFile(`${directory}/handlers/web.json`);
  assert.doesNotMatch(notes, /blue/);
});

Deno.test("Handler.stop() ends all that the program has started, and lets it end by itself", async () => {
  await using one = await place();
  const { handler, directory } = one;
  const script =
    "(trap 'echo bye; exit' TERM; while :; do sleep 0.1; done) & " +
    "echo $!; exec sleep 60";
  await handler.start({ argv: ["sh", "-c", script], directory }, {});
  const [pid] = (await written(handler, /\d\n/)).split("\n");
  assert.equal(await handler.stop(), true);
  await written(handler, /bye/);
  await assert.rejects(Deno.readTextFile(`/proc/${pid}/environ`));
  assert.equal(await handler.state(undefined, {}), "none");
  assert.equal(await handler.stop(), false);
});

/** Starts something that `rest` does not end, and resolves to its number. */
async function leftBehind(
  { handler, directory }: { handler: Handler; directory: string },
  rest: string,
): Promise<string> {
  const argv = ["sh", "-c", `sleep 60 & echo $!; ${rest}`];
  const starting = handler.start({ argv, directory }, {});
  const [pid] = (await written(handler, /\d\n/)).split("\n");
  await starting;
  return pid!;
}

const isAlive = async (pid: string) =>
  /\) [^ZX] /.test(
    await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => ""),
  );

Deno.test("Handler ends what is left of a program whose first process was killed, and does not take it for the program", async () => {
  await using one = await place();
  const { handler, directory } = one;
  const pid = await leftBehind(one, "exec sleep 61");
  const argv = ["sh", "-c", "sleep 60 & echo $!; exec sleep 61"];
  assert.equal(await handler.state({ argv, directory }, {}), "same");
  const path = `${directory}/handlers/web.json`;
  const note = JSON.parse(await Deno.readTextFile(path));
  Deno.kill(note.pid, "SIGKILL");
  while (await handler.state({ argv, directory }, {}) === "same");
  assert.equal(await handler.state({ argv, directory }, {}), "other");
  // Another group that got this number.
  await Deno.writeTextFile(path, JSON.stringify({ ...note, mark: "other" }));
  assert.equal(await handler.state(undefined, {}), "none");
  await Deno.writeTextFile(path, JSON.stringify(note));
  assert.ok(await isAlive(pid));
  assert.equal(await handler.stop(), true);
  assert.ok(!await isAlive(pid));
  assert.equal(await handler.state(undefined, {}), "none");
});

Deno.test("Handler knows a program that goes to the background by itself", async () => {
  await using one = await place();
  const { handler, directory } = one;
  const pid = await leftBehind(one, "exit 0");
  const argv = ["sh", "-c", "sleep 60 & echo $!; exit 0"];
  assert.equal(await handler.state({ argv, directory }, {}), "same");
  assert.equal(await handler.stop(), true);
  assert.ok(!await isAlive(pid));
});

Deno.test("Handler.start() that fails leaves nothing of the program", async () => {
  await using one = await place();
  const { handler } = one;
  await assert.rejects(leftBehind(one, "exit 3"), /exit code 3/);
  const [pid] = (await written(handler, /\d\n/)).split("\n");
  assert.ok(!await isAlive(pid!));
  assert.equal(await handler.stop(), false);
});

Deno.test("Handler does not take another process of the same number for its own", async () => {
  await using one = await place();
  const { handler, directory } = one;
  await handler.start({ argv: ["sleep", "60"], directory }, {});
  const path = `${directory}/handlers/web.json`;
  const note = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...note, pid: Deno.pid }));
  assert.equal(await handler.state(undefined, {}), "none");
  await Deno.writeTextFile(path, JSON.stringify(note));
  assert.equal(await handler.state(undefined, {}), "other");
});

Deno.test("Handler.start() tells why a program does not start", async () => {
  await using one = await place();
  const { handler, directory } = one;
  await assert.rejects(
    handler.start({ argv: ["no-such-program"], directory }, {}),
    (error) =>
      error instanceof CommandError &&
      /^Cannot run "no-such-program" for "web": it ended with exit code 127, .*not found$/
        .test(error.message) &&
      error.remedy.includes(handler.logPath),
  );
  await assert.rejects(
    handler.start({ argv: ["true"], directory: `${directory}/none` }, {}),
    CommandError,
  );
  await handler.start({ argv: ["true"], directory }, {});
});
