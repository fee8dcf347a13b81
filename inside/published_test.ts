import assert from "node:assert/strict";
import { encodeTarget } from "../manager/api.ts";
import { Ip, RefusedError, writeAll } from "../net/mod.ts";
import { openPair, readAll, textOf } from "../tunnel/session_fake.ts";
import { answerPublished } from "./published.ts";

const target = (port: number) =>
  encodeTarget({ kind: "tcp", ip: Ip.parse("127.0.0.1"), port });

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`answerPublished() joins a stream with who listens on ${hostname}`, async () => {
    await using pair = await openPair({
      serve: (incoming) => void answerPublished(incoming),
    });
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const serving = listener.accept().then(async (conn) => {
      await conn.readable.pipeTo(conn.writable);
    });
    const stream = await pair.dialer.open(target(port));
    await writeAll(stream, new TextEncoder().encode("hello"));
    await stream.closeWrite();
    assert.equal(textOf(await readAll(stream)), "hello");
    await serving;
  });
}

Deno.test("answerPublished() refuses what nobody listens on, and what is no connection", async () => {
  await using pair = await openPair({
    serve: (incoming) => void answerPublished(incoming),
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const { dialer } = pair;
  await assert.rejects(
    dialer.open(target(port)),
    (error) => error instanceof RefusedError && error.refusal === "refused",
  );
  await assert.rejects(
    dialer.openDatagrams(target(port)),
    (error) =>
      error instanceof RefusedError && error.refusal === "unknown-target",
  );
});
