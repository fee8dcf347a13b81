/** `tp run` ends: signals, kill -9 of any part of it; nothing is left behind. */
import assert from "node:assert/strict";
import { Laptop, openCluster, sleep, waitFor } from "../cluster/mod.ts";
import { executable } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";
import { userProcesses } from "../support/user_processes.ts";

const user = "tp-test" as const;
/** A command that has started another one, in a session of its own, and waits. */
const script = "setsid sleep 1000 & trap 'echo asked; exit 3' TERM; " +
  "echo ready; while :; do sleep 0.1; done";

type Part = "outer" | "inner" | "command";
const commandOf: Record<Part, RegExp> = {
  outer: /tp run -- sh/,
  inner: /tp run-inside /,
  command: /^sh -c setsid/,
};

/** `tp run` whose command runs. */
async function openRun(laptop: Laptop) {
  const child = laptop.spawn([executable, "run", "--", "sh", "-c", script], {
    ...{ user, stdout: "piped", stderr: "null" },
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  const read = async () => {
    const { value, done } = await lines.read();
    printed += value ?? "";
    return !done;
  };
  while (!printed.includes("ready\n")) {
    if (!await read()) throw new Error("tp run ended");
  }
  const parts = await userProcesses(user);
  return {
    kill(part: Part, signal: Deno.Signal) {
      const found = parts.find(({ command }) => commandOf[part].test(command));
      assert.ok(found, JSON.stringify(parts));
      Deno.kill(found.pid, signal);
    },
    async ended() {
      const { code } = await child.status;
      // Who is left over holds the pipe open.
      const timer = setTimeout(() => lines.cancel(), 4_000);
      while (await read());
      clearTimeout(timer);
      return { code, printed };
    },
  };
}

/** Within the time that processes have to end by themselves, and a little more. */
async function mustBeGone(what: RegExp = /./): Promise<void> {
  await waitFor("end of all processes", async () => {
    const left = await userProcesses(user);
    return !left.some(({ command }) => what.test(command)) ||
      JSON.stringify(left);
  }, { timeoutMs: 4_000 });
}

const kills: [parts: Part[], code: number][] = [
  [["outer"], 137],
  [["inner"], 137],
  [["command"], 137],
];

for (const [parts, expected] of kills) {
  Deno.test(`tp run after kill -9 of ${parts}: the command and what it started have ended, the laptop is as before`, async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    const before = await laptop.snapshot();
    const run = await openRun(laptop);
    for (const part of parts) run.kill(part, "SIGKILL");
    const { code } = await run.ended();
    assert.equal(code, expected);
    await mustBeGone();
    assertSameState(await laptop.snapshot(), before);
  });
}

Deno.test("tp run after kill -9 of both of its processes at once: the command has ended", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const before = await laptop.snapshot();
  const run = await openRun(laptop);
  run.kill("outer", "SIGSTOP");
  run.kill("inner", "SIGKILL");
  run.kill("outer", "SIGKILL");
  await mustBeGone(/^sh|tp run/);
  for (const { pid } of await userProcesses(user)) Deno.kill(pid, "SIGKILL");
  await run.ended();
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("tp run whose outer process was stopped for a while goes on", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const before = await laptop.snapshot();
  const run = await openRun(laptop);
  run.kill("outer", "SIGSTOP");
  await sleep(8_000);
  run.kill("outer", "SIGCONT");
  await sleep(1_000);
  run.kill("outer", "SIGTERM");
  assert.deepEqual(await run.ended(), { code: 3, printed: "ready\nasked\n" });
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("tp run passes a signal on, and with the end of the command ends what that left in its network", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const before = await laptop.snapshot();
  const run = await openRun(laptop);
  run.kill("outer", "SIGTERM");
  assert.deepEqual(await run.ended(), { code: 3, printed: "ready\nasked\n" });
  assert.deepEqual(await userProcesses(user), []);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("Ctrl-C reaches the command of tp run, which decides what becomes of it", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const own = "trap 'echo told; exit 5' INT; echo ready; " +
    "while :; do sleep 0.1; done";
  const child = laptop.spawn(
    ["script", "-qec", `${executable} run -- sh -c "${own}"`, "/dev/null"],
    { user, stdin: "piped", stdout: "piped", stderr: "null" },
  );
  const keyboard = child.stdin.getWriter();
  let printed = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const wasReady = printed.includes("ready\r\n");
    printed += text;
    if (wasReady || !printed.includes("ready\r\n")) continue;
    await keyboard.write(new Uint8Array([3]));
  }
  assert.equal((await child.status).code, 5, printed);
  assert.match(printed, /^(\^C)?told\r$/m);
  await keyboard.close();
  await mustBeGone();
});

Deno.test("an interrupt while tp run connects ends it, and the command does not run", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const before = await laptop.snapshot();
  await using _severed = await laptop.severCluster();
  const child = laptop.spawn([executable, "run", "--", "echo", "it runs"], {
    ...{ user, stdout: "piped", stderr: "piped" },
  });
  await sleep(1_000);
  Deno.kill(child.pid, "SIGINT");
  const { code, stdout, stderr } = await child.output();
  const told = new TextDecoder().decode(stderr);
  assert.equal(code, 130, told);
  assert.equal(stdout.length, 0);
  assert.match(told, /^Interrupted$/m);
  await mustBeGone();
  assertSameState(await laptop.snapshot(), before);
});
