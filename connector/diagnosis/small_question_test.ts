import assert from "node:assert/strict";
import { answersSmallQuestion } from "./small_question.ts";

/** Asks a server that does that with each connection. */
async function asked(
  serve: (conn: Deno.Conn) => Promise<unknown>,
  signal = AbortSignal.timeout(10_000),
): Promise<boolean> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using conn = await listener.accept();
    await serve(conn);
  })();
  try {
    const server = new URL(`https://127.0.0.1:${listener.addr.port}`);
    return await answersSmallQuestion({ server }, { signal });
  } finally {
    listener.close();
    await serving;
  }
}

Deno.test("answersSmallQuestion() is true where a few bytes are answered, and false where nothing is", async () => {
  const answer = new TextEncoder().encode("HTTP/1.0 400 Bad Request\r\n\r\n");
  assert.equal(
    await asked(async (conn) => {
      await conn.read(new Uint8Array(64));
      await conn.write(answer);
    }),
    true,
  );
  assert.equal(await asked((conn) => conn.read(new Uint8Array(64))), false);
  const port = 1;
  const server = new URL(`https://127.0.0.1:${port}`);
  const { signal } = new AbortController();
  assert.equal(await answersSmallQuestion({ server }, { signal }), false);
});

Deno.test("answersSmallQuestion() is called off by its signal", async () => {
  const abort = new AbortController();
  const silent = async (conn: Deno.Conn) => {
    await conn.read(new Uint8Array(64));
    abort.abort();
    await conn.read(new Uint8Array(64));
  };
  await assert.rejects(asked(silent, abort.signal), { name: "AbortError" });
});
