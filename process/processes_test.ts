import assert from "node:assert/strict";
import {
  argumentsOf,
  environmentOf,
  killGroup,
  membersOf,
  processState,
  stateOf,
} from "./mod.ts";

/** A shell that leads a group, with a child. */
async function group() {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", "sleep 60 & echo $!; wait", "a process"],
    env: { COLOR: "blue" },
    detached: true,
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  await reader.cancel();
  return { child, pid: child.pid, sleeper: Number(value) };
}

Deno.test("a process is seen with its group, arguments and environment until it is killed", async () => {
  const { child, pid, sleeper } = await group();
  const state = (await processState(pid))!;
  assert.equal(state.group, pid);
  assert.equal(state.stopped, false);
  const pids = (await membersOf(pid)).map((one) => one.pid);
  assert.deepEqual(pids.sort(), [pid, sleeper].sort());
  assert.equal((await argumentsOf(pid)).at(-1), "a process");
  assert.ok((await environmentOf(pid)).includes("COLOR=blue"));
  assert.equal(await stateOf({ ...state, start: "1" }), undefined);
  const waited = child.status;
  await killGroup(state);
  assert.equal(await processState(sleeper), undefined);
  await waited;
  assert.equal(await processState(pid), undefined);
  assert.deepEqual(await argumentsOf(pid), []);
});

Deno.test("a process that a signal has stopped is seen as such", async () => {
  const { child, pid } = await group();
  child.kill("SIGSTOP");
  while (!(await processState(pid))?.stopped) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const waited = child.status;
  await killGroup((await processState(pid))!);
  await waited;
});
