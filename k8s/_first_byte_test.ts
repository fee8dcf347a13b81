import assert from "node:assert/strict";
import { type Conn, connPair, ConnResetError } from "../net/mod.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { withFirstByte } from "./_first_byte.ts";
import { ObstacleError } from "./unreachable.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function readSome(conn: Conn, roomBytes: number): Promise<string> {
  const into = new Uint8Array(roomBytes);
  const count = await conn.read(into);
  return new TextDecoder().decode(into.subarray(0, count ?? 0));
}

function options() {
  return { clock: new FakeClock(), signal: new AbortController().signal };
}

Deno.test("withFirstByte() waits for the peer to speak, and loses nothing", async () => {
  const [ours, peers] = connPair();
  const begun = withFirstByte(ours, options());
  await peers.write(bytes("hello"));
  const conn = await begun;
  assert.equal(await readSome(conn, 2), "he");
  assert.equal(await readSome(conn, 9), "llo");
  await peers.write(bytes("more"));
  assert.equal(await readSome(conn, 9), "more");
  await conn.write(bytes("answer"));
  assert.equal(await readSome(peers, 9), "answer");
  await peers.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  conn.close();
});

Deno.test("withFirstByte() rejects when the flow ends or breaks off first, and when nothing comes", async () => {
  const [ended, ending] = connPair();
  await ending.closeWrite();
  await assert.rejects(withFirstByte(ended, options()), ConnResetError);

  const [broken, breaking] = connPair();
  breaking.reset();
  await assert.rejects(withFirstByte(broken, options()), ConnResetError);

  const [silent] = connPair();
  const { clock, signal } = options();
  const waiting = withFirstByte(silent, { clock, signal });
  clock.advance(5_000);
  await assert.rejects(
    waiting,
    (error) =>
      error instanceof ObstacleError && error.obstacle.kind === "reset",
  );
});
