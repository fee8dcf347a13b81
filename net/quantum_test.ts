import assert from "node:assert/strict";
import { connPair } from "./conn_pair.ts";
import { pipe } from "./pipe.ts";
import { Quantum } from "./quantum.ts";

Deno.test("Quantum.spend() lets bulk wait for the next turn once a quantum is moved, and small writes pass", async () => {
  const turns: (() => void)[] = [];
  const quantum = new Quantum({
    bytes: 100_000,
    nextTurn: (then) => turns.push(then),
  });
  assert.equal(quantum.spend(60_000), undefined);
  const first = quantum.spend(60_000);
  const second = quantum.spend(60_000);
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(quantum.spend(64), undefined);
  assert.equal(turns.length, 1);
  turns[0]!();
  await Promise.all([first, second]);
  assert.equal(quantum.spend(60_000), undefined);
});

Deno.test("pipe() lets the event loop turn while bytes are always there and always taken", async () => {
  const [app, near] = connPair();
  const [far, service] = connPair();
  let isOver = false;
  const piped = pipe(near, far);
  const sent = (async () => {
    const bytes = new Uint8Array(64 * 1024);
    for (let i = 0; i < 256 && !isOver; i++) await app.write(bytes);
    await app.closeWrite();
  })();
  let receivedBytes = 0;
  const received = (async () => {
    const into = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await service.read(into);
      if (count === null) return;
      receivedBytes += count;
    }
  })();
  await new Promise((resolve) => setTimeout(resolve));
  const atFirstTurnBytes = receivedBytes;
  isOver = true;
  await Promise.all([sent, received]);
  await service.closeWrite();
  await piped;
  assert.ok(atFirstTurnBytes < 2 * 1024 ** 2, `${atFirstTurnBytes} bytes`);
});
