import assert from "node:assert/strict";
import { type RefusedError, systemClock } from "../net/mod.ts";
import { createIdentity, dialSession, type Session } from "../tunnel/mod.ts";
import { Doorway } from "./doorway.ts";
import { sharedBudget } from "./session_budget.ts";
import { TcpConn } from "../tcp/mod.ts";

function open({ maxSessions = 10 } = {}) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const doorway = new Doorway({
    listener,
    welcome: () => (incoming) => incoming.refuse("failed", "a test"),
    budget: sharedBudget(512 * 1024 ** 2),
    maxSessions,
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

Deno.test("Doorway lets a laptop that is away make room for another, and turns one away when all are here", async () => {
  const { doorway, carrier } = open({ maxSessions: 2 });
  await using _ = doorway;
  const identity = await createIdentity();
  const conns: TcpConn[] = [];
  let isCut = false;
  const dial = async () => {
    if (isCut) throw new Error("The network is gone");
    const conn = await carrier();
    conns.push(conn);
    return conn;
  };
  const common = { identity, product: "tp/test" };
  // A dialer does not wait for the manager: who has not asked yet may come behind the third.
  const away = await dialUntilServed(() => dialSession({ ...common, dial }));
  const here = await dialUntilServed(() =>
    dialSession({ ...common, dial: carrier })
  );
  const refused = await dialSession({ ...common, dial: carrier });
  const { reason, detail } = await refused.ended;
  assert.equal(reason, "peer-closed");
  assert.match(detail, /2 laptops are here/);

  isCut = true;
  conns[0]!.reset();
  const another = await dialUntilServed(() =>
    dialSession({ ...common, dial: carrier })
  );
  assert.equal(doorway.sessions, 2);
  isCut = false;
  away.wake();
  assert.equal((await away.ended).reason, "unknown-session");
  for (const session of [here, another]) {
    session.close();
    await session.ended;
  }
});

/** The manager may not have seen yet that the other carrier is lost. */
async function dialUntilServed(
  dial: () => Promise<Session>,
): Promise<Session> {
  for (;;) {
    const session = await dial();
    const asked = session.open(new Uint8Array([4]));
    const error = await asked.catch((error: RefusedError) => error);
    if ((error as RefusedError).refusal === "failed") return session;
    await session.ended;
  }
}
