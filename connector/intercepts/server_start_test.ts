import assert from "node:assert/strict";
import { RefusedError } from "../../net/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { ServerStart } from "./server_start.ts";

const refused = new RefusedError("refused", "Nobody listens");

/** What is resolved by now goes on. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** A server that listens from `listensMs` on, and whoever dials it. */
function place({ listensMs }: { listensMs: number }) {
  const clock = new FakeClock();
  const start = new ServerStart(clock);
  const off = new AbortController();
  const dial = () =>
    start.dial(
      () =>
        clock.now() >= listensMs
          ? Promise.resolve("joined")
          : Promise.reject(refused),
      off.signal,
    ).then((told) => `${told} after ${clock.now()}`, (error) => {
      assert.equal(error, refused);
      return `refused after ${clock.now()}`;
    });
  /** Time goes by, and who waits for it goes on. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await turn();
      clock.advance(100);
    }
    await turn();
  };
  return { clock, start, off, dial, pass };
}

Deno.test("ServerStart dials again until the server listens", async () => {
  const { dial, pass } = place({ listensMs: 2_000 });
  const dialling = dial();
  await pass(2_000);
  assert.equal(await dialling, "joined after 2000");
});

Deno.test("ServerStart gives up 3 s after the first connection, and then at once, until the server is started", async () => {
  const { clock, dial, pass, start } = place({ listensMs: Infinity });
  const first = dial();
  await pass(1_000);
  const second = dial();
  await pass(2_000);
  assert.equal(await first, "refused after 3000");
  assert.equal(await second, "refused after 3000");
  await pass(10_000);
  assert.equal(await dial(), "refused after 13000");
  start.begin();
  const third = dial();
  await pass(3_000);
  assert.equal(await third, "refused after 16000");
  assert.equal(await dial(), "refused after 16000");
  assert.equal(clock.waiting, 0);
});

Deno.test("ServerStart.dial() leaves nothing behind when it is called off", async () => {
  const { clock, dial, off, pass } = place({ listensMs: Infinity });
  const dialling = dial();
  await pass(500);
  off.abort();
  assert.equal(await dialling, "refused after 500");
  assert.equal(clock.waiting, 0);
});

Deno.test("ServerStart passes on at once what is no refusal of the laptop's port", async () => {
  const { start, off, clock } = place({ listensMs: 0 });
  const gone = new RefusedError("unreachable", "No way");
  await assert.rejects(
    start.dial(() => Promise.reject(gone), off.signal),
    gone,
  );
  assert.equal(clock.waiting, 0);
});
