import assert from "node:assert/strict";
import { connPair } from "./conn_pair.ts";
import { type Conn, ConnResetError, writeAll } from "./conn.ts";
import { pipe } from "./pipe.ts";

async function readAll(conn: Conn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(1000);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) {
      return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
    }
    chunks.push(buffer.slice(0, count));
  }
}

Deno.test("pipe() carries every byte and each end of direction", async () => {
  const [app, appEnd] = connPair();
  const [serviceEnd, service] = connPair();
  const piped = pipe(appEnd, serviceEnd);
  const question = crypto.getRandomValues(new Uint8Array(50_000));
  const sent = writeAll(app, question).then(() => app.closeWrite());
  assert.deepEqual(await readAll(service), question);
  await sent;
  await writeAll(service, new Uint8Array([1, 2, 3]));
  await service.closeWrite();
  assert.deepEqual(await readAll(app), new Uint8Array([1, 2, 3]));
  assert.equal(await piped, "ended");
});

Deno.test("pipe() makes a reset of one flow a reset of the other", async () => {
  const [app, appEnd] = connPair();
  const [serviceEnd, service] = connPair();
  const piped = pipe(appEnd, serviceEnd);
  service.reset();
  await assert.rejects(app.read(new Uint8Array(1)), ConnResetError);
  assert.equal(await piped, "broken");
});

Deno.test("pipe() stops reading from a flow while the other does not take more", async () => {
  const [app, appEnd] = connPair({ bufferBytes: 1000 });
  const [serviceEnd, service] = connPair({ bufferBytes: 1000 });
  const piped = pipe(appEnd, serviceEnd);
  let written = 0;
  const flood = (async () => {
    for (;;) written += await app.write(new Uint8Array(1000));
  })();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(written <= 1000 + 1000 + 4096 + 1000, `${written} bytes went in`);
  service.reset();
  await assert.rejects(flood, ConnResetError);
  await piped;
});
