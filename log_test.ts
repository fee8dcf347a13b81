import assert from "node:assert/strict";
import {
  lastTrouble,
  logger,
  setLogLevel,
  setLogLevelFor,
  setLogSink,
} from "./log.ts";

/** The messages that `work` logs. */
async function logged(work: () => void | Promise<void>): Promise<string[]> {
  const messages: string[] = [];
  setLogSink((line) => messages.push(JSON.parse(line).message));
  try {
    await work();
    return messages;
  } finally {
    setLogLevel("info");
    // deno-lint-ignore no-console -- as it is when a process starts
    setLogSink((line) => console.error(line));
  }
}

const log = logger("test");

Deno.test("a level that is set for a while counts so long, then the usual one", async () => {
  const messages = await logged(async () => {
    log.debug("before");
    setLogLevelFor("debug", 20);
    log.debug("during");
    await new Promise((resolve) => setTimeout(resolve, 60));
    log.debug("after");
    log.info("as usual");
  });
  assert.deepEqual(messages, ["during", "as usual"]);
});

Deno.test("the last level that was set counts, whatever the one before was set for", async () => {
  const messages = await logged(async () => {
    setLogLevelFor("debug", 20);
    setLogLevelFor("error", 0);
    await new Promise((resolve) => setTimeout(resolve, 60));
    log.warn("too quiet");
    log.error("told");
  });
  assert.deepEqual(messages, ["told"]);
});

Deno.test("lastTrouble() is the last warning or error, with its facts and its cause", async () => {
  await logged(() => {
    log.error("not done", { error: new Error("no room") });
    log.info("done");
  });
  assert.equal(lastTrouble()?.text, "not done: Error: no room");
  await logged(() => {
    const facts = { pod: "manager-0", tries: 3, at: undefined };
    log.warn("not reached", { ...facts, error: "it is away" });
  });
  const text = "not reached (pod manager-0, tries 3): it is away";
  assert.equal(lastTrouble()?.text, text);
});
