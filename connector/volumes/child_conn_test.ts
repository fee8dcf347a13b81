import assert from "node:assert/strict";
import { ConnResetError, writeAll } from "../../net/mod.ts";
import { ChildConn } from "./child_conn.ts";

function start(script: string) {
  return new Deno.Command("sh", {
    args: ["-c", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

Deno.test("ChildConn carries bytes both ways and ends with the process", async () => {
  const child = start("cat; echo end");
  const conn = new ChildConn(child);
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  await writeAll(conn, sent);
  await conn.closeWrite();
  const got: number[] = [];
  const buffer = new Uint8Array(1000);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    got.push(...buffer.subarray(0, count));
  }
  const end = new TextEncoder().encode("end\n");
  assert.deepEqual(Uint8Array.from(got), Uint8Array.from([...sent, ...end]));
  conn.close();
  await child.status;
});

Deno.test("ChildConn.write() rejects once the process is gone", async () => {
  const child = start("exit");
  const conn = new ChildConn(child);
  await child.status;
  await assert.rejects(async () => {
    for (;;) await conn.write(new Uint8Array(1 << 20));
  }, ConnResetError);
  conn.close();
});

Deno.test("ChildConn.close() lets go of a process that reads its input to the end", async () => {
  const child = start("cat >/dev/null");
  const conn = new ChildConn(child);
  conn.close();
  await child.status;
  await assert.rejects(conn.read(new Uint8Array(1)), ConnResetError);
});
