import assert from "node:assert/strict";
import { systemClock } from "../net/mod.ts";
import { createIdentity, dialSession } from "../tunnel/mod.ts";
import { Doorway } from "./doorway.ts";
import { TcpConn } from "../tcp/mod.ts";

function open() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const doorway = new Doorway({
    listener,
    serve: (incoming) => incoming.refuse("failed", "a test"),
    clock: systemClock,
  });
  const carrier = async () =>
    new TcpConn(await Deno.connect({ hostname: "127.0.0.1", port }));
  return { doorway, carrier };
}

Deno.test("Doorway makes a session of each carrier and ends them all when it closes", async () => {
  const { doorway, carrier } = open();
  const identity = await createIdentity();
  const sessions = await Promise.all(
    [1, 2, 3].map(async () =>
      await dialSession({ dial: carrier, identity, product: "tp/test" })
    ),
  );
  const refused = sessions.map((session) =>
    assert.rejects(session.open(new Uint8Array([4])), { name: "RefusedError" })
  );
  await Promise.all(refused);
  assert.equal(doorway.sessions, 3);
  await doorway[Symbol.asyncDispose]();
  for (const session of sessions) {
    assert.equal((await session.ended).reason, "peer-closed");
  }
  assert.equal(doorway.sessions, 0);
});

Deno.test("Doorway closes carriers that say nothing, and those that speak something else", async () => {
  const { doorway, carrier } = open();
  const silent = await carrier();
  const other = await carrier();
  await other.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const into = new Uint8Array(5000);
  // What comes is the greeting, and perhaps a farewell.
  while (await other.read(into).catch(() => null) !== null);
  await doorway[Symbol.asyncDispose]();
  while (await silent.read(into).catch(() => null) !== null);
  silent.close();
  other.close();
});
