import assert from "node:assert/strict";
import type { Manager } from "../../manager/client.ts";
import { type Conn, connPair, RefusedError } from "../../net/mod.ts";
import { readEnvironment } from "./environment.ts";

const question = () => ({
  ...{ intercept: "uid-1", container: "app" },
  signal: new AbortController().signal,
});

/** To a pod whose stream comes from `open`. */
function link(open: () => Promise<Conn>) {
  const manager = { pod: open } as unknown as Manager;
  return { use: <T>(use: (m: Manager) => Promise<T>) => use(manager) };
}

Deno.test("readEnvironment() gives up on a pod that says nothing", async () => {
  const silent = link(() => Promise.resolve(connPair()[0]));
  await assert.rejects(
    readEnvironment(silent, { ...question(), limitMs: 20 }),
    { refusal: "timeout", message: "The pod has not answered in 0.02 s" },
  );
});

Deno.test("readEnvironment() asks three times, and waits no longer than it is wanted", async () => {
  let asked = 0;
  const refusing = link(() => {
    asked++;
    return Promise.reject(new RefusedError("refused", "no agent"));
  });
  await assert.rejects(readEnvironment(refusing, question()), /no agent/);
  assert.equal(asked, 3);
  const abort = new AbortController();
  const started = performance.now();
  const reading = readEnvironment(refusing, {
    ...{ ...question(), signal: abort.signal },
  });
  const off = assert.rejects(reading, /called off/);
  setTimeout(() => abort.abort(new Error("called off")), 10);
  await off;
  assert.ok(performance.now() - started < 300);
});
