/** A `tp connect` that is interrupted, or killed outright, leaves nothing behind wherever it was. */
import assert from "node:assert/strict";
import {
  accounts,
  Laptop,
  must,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";

/** What is printed while a manager is installed by a user who is not root, in its order. */
const lines = [
  /^Launching tp Daemon/,
  /^Need root privileges/,
  /^Installing traffic manager/,
  /^Connecting to traffic manager/,
];
/** From here on the manager is ready: it stays, and the connection may stand already. */
const lastLine = lines.at(-1);

/** How long the rest may take to notice that the command was killed, and to undo everything. */
const undoneMs = 10_000;
const interruptedExitCode = 130;

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs `tp connect` in a process group of its own until it has printed a line like this, then does something to it. */
async function runUntil(
  line: RegExp,
  { laptop, place, then }: {
    laptop: Laptop;
    place: ManagerPlace;
    then: (pid: number) => Promise<void>;
  },
): Promise<Ended> {
  const child = laptop.spawn(
    ["setsid", executable, "connect", ...place.flag],
    { user: "tp-test", stdout: "piped", stderr: "null" },
  );
  let output = "";
  let isDone = false;
  const decoded = child.stdout.pipeThrough(new TextDecoderStream());
  for await (const text of decoded) {
    output += text;
    if (isDone || !output.split("\n").some((one) => line.test(one))) continue;
    isDone = true;
    await then(child.pid);
  }
  assert.ok(isDone, `no line like ${line} in\n${output}`);
  return { code: (await child.status).code, output };
}

/** As the terminal does it on Ctrl-C. */
async function interruptGroup(pid: number): Promise<void> {
  await must(["kill", "-INT", "--", `-${pid}`]);
}

async function interruptAlone(pid: number): Promise<void> {
  await must(["kill", "-INT", `${pid}`]);
}

async function kill(pid: number): Promise<void> {
  await must(["kill", "-KILL", `${pid}`]);
}

for (
  const [name, then] of [
    ["by Ctrl-C", interruptGroup],
    ["by a signal to it alone", interruptAlone],
  ] as const
) {
  Deno.test(`a connect that is interrupted ${name} has undone everything when it ends`, async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster, { exists: true });
    const tp = new Tp(laptop, { user: "tp-test" });
    const before = await laptop.snapshot();
    for (const line of lines) {
      await t.step(`after the line ${line.source}`, async () => {
        const ended = await runUntil(line, { laptop, place, then });
        if (line === lastLine) await tp.run(["quit"]);
        else {
          assert.equal(ended.code, interruptedExitCode, ended.output);
          assert.match(ended.output, /^Interrupted$/m);
          assert.deepEqual(await place.objects(), []);
        }
        assertSameState(await laptop.snapshot(), before);
      });
    }
  });
}

Deno.test("a connect that is interrupted while the connector starts has ended it", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const before = await laptop.snapshot();
  const child = laptop.spawn(["setsid", executable, "connect"], {
    user: "tp-test",
    stdout: "null",
    stderr: "null",
  });
  const directory = `/proc/${child.pid}/root${accounts["tp-test"].runtimeDir}`;
  await waitFor("directory of the connector", async () => {
    return await Deno.stat(`${directory}/tp`)
      .then(() => true as const, () => "it is not there");
  }, { timeoutMs: 10_000, everyMs: 1 });
  await interruptGroup(child.pid);
  assert.equal((await child.status).code, interruptedExitCode);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a connect that is killed is undone by what is left of it", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster, { exists: true });
  const tp = new Tp(laptop, { user: "tp-test" });
  const before = await laptop.snapshot();
  for (const line of lines) {
    await t.step(`after the line ${line.source}`, async () => {
      await runUntil(line, { laptop, place, then: kill });
      if (line === lastLine) await tp.run(["quit"]);
      await waitFor("laptop as it was", async () => {
        const after = await laptop.snapshot();
        return after === before || after;
      }, { timeoutMs: undoneMs });
      if (line === lastLine) return;
      assert.deepEqual(await place.objects(), []);
    });
  }
});
