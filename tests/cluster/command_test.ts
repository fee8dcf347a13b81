import assert from "node:assert/strict";
import { must, run } from "./command.ts";

Deno.test("run() answers code, output and errors of a command", async () => {
  const script = "cat; echo oops >&2; exit 3";
  const result = await run(["sh", "-c", script], { stdin: "hello" });
  assert.equal(result.code, 3);
  assert.equal(result.stdout, "hello");
  assert.equal(result.stderr, "oops\n");
  assert.equal(result.timedOut, false);
});

Deno.test("run() ends a command whose time is up and keeps what it said", async () => {
  const result = await run(["sh", "-c", "echo begun; exec sleep 60"], {
    timeoutMs: 200,
  });
  assert.equal(result.code, 124);
  assert.equal(result.timedOut, true);
  assert.equal(result.stdout, "begun\n");
});

Deno.test("run() does not wait for what a command left behind with its output open", async () => {
  const script = "sleep 5 & echo $!";
  const result = await run(["sh", "-c", script], { timeoutMs: 200 });
  assert.equal(result.timedOut, true);
  Deno.kill(Number(result.stdout), "SIGKILL");
});

Deno.test("must() says which command failed, how and with which words", async () => {
  await assert.rejects(
    must(["sh", "-c", "echo no such thing >&2; exit 4"]),
    /Cannot run "sh -c .*": exit code 4: no such thing/,
  );
});

Deno.test("run() rejects when there is no such program", async () => {
  await assert.rejects(
    run(["/no/such/program"]),
    /Cannot run "\/no\/such\/program"/,
  );
});
