import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { createIdentity, dialSession } from "../tunnel/mod.ts";
import { TcpConn } from "../tcp/mod.ts";
import { DirectDoor } from "./direct_door.ts";
import type { DirectOffer } from "./direct_offer.ts";
import { Doorway } from "./doorway.ts";
import { sharedBudget } from "./session_budget.ts";
import { Feed } from "./feed.ts";

const dayMs = 24 * 3_600_000;

/** A free port, for a moment. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A manager with both doors on this machine's loopback. */
async function open() {
  const clock = new FakeClock();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const doorway = new Doorway({
    budget: sharedBudget(512 * 1024 ** 2),
    ...{ listener, clock },
    welcome: () => (incoming) => incoming.accept().close(),
  });
  const offers = new Feed<DirectOffer>();
  const address = { hostname: "127.0.0.1", port: freePort() };
  const door = await DirectDoor.open({
    endpoint: { host: address.hostname, port: address.port },
    ...{ address, offers, clock },
    take: (conn) => doorway.takeShortcut(conn),
  });
  const carrier = async () => {
    const { hostname, port } = listener.addr;
    return new TcpConn(await Deno.connect({ hostname, port }));
  };
  return {
    ...{ clock, doorway, door, offers, carrier, address },
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]();
      await doorway[Symbol.asyncDispose]();
    },
  };
}

/** Connects as the offer says; shakes hands with nobody else. */
async function connect(
  { endpoint: { host, port }, name, certificate }: DirectOffer,
): Promise<TcpConn> {
  const below = await Deno.connect({ hostname: host, port });
  const conn = await Deno.startTls(below, {
    hostname: name,
    caCerts: [certificate],
  });
  try {
    await conn.handshake();
  } catch (error) {
    conn.close();
    throw error;
  }
  return new TcpConn(conn);
}

Deno.test("a session that began at the doorway goes on over the direct door, where none begins", async () => {
  await using manager = await open();
  const offer = manager.offers.value!;
  const identity = await createIdentity();
  const product = "tp/test";
  const session = await dialSession({
    ...{ identity, product, dial: manager.carrier },
  });
  const joined = Promise.withResolvers<void>();
  session.shortcut(async () => {
    const conn = await connect(offer);
    joined.resolve();
    return conn;
  });
  await joined.promise;
  const stream = await session.open(new Uint8Array([4]));
  stream.close();
  while (!session.stats().carriers.some((one) => one.isShortcut)) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.equal(manager.doorway.sessions, 1);

  const stranger = await dialSession({
    ...{ identity, product, dial: () => connect(offer) },
    limits: { graceMs: 0 },
  });
  assert.equal((await stranger.ended).reason, "unknown-session");
  session.close();
  await session.ended;
});

Deno.test("DirectDoor makes another certificate after a day, and takes the former no more", async () => {
  await using manager = await open();
  const former = manager.offers.value!;
  (await connect(former)).close();
  manager.clock.advance(dayMs);
  while (manager.offers.value === former) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  const offer = manager.offers.value!;
  assert.equal(offer.name, former.name);
  (await connect(offer)).close();
  await assert.rejects(connect(former), Deno.errors.InvalidData);
});

Deno.test("DirectDoor tries again when it could not listen with another certificate", async () => {
  await using manager = await open();
  const { clock, offers, address } = manager;
  const former = offers.value!;
  const { hostname } = address;
  // No machine has this address.
  address.hostname = "192.0.2.1";
  clock.advance(dayMs);
  while (
    await connect(former).then((conn) => conn.close(), () => null) !== null
  );
  address.hostname = hostname;
  while (offers.value === former) {
    clock.advance(60_000);
    await new Promise((resolve) => setTimeout(resolve));
  }
  (await connect(offers.value!)).close();
});

Deno.test("DirectDoor lets go of who does not shake hands", async () => {
  await using manager = await open();
  const { host: hostname, port } = manager.offers.value!.endpoint;
  const into = new Uint8Array(100);
  {
    using other = await Deno.connect({ hostname, port });
    await other.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    while (await other.read(into).catch(() => null) !== null);
  }
  using silent = await Deno.connect({ hostname, port });
  using _known = await connect(manager.offers.value!).then((conn) => ({
    [Symbol.dispose]: () => conn.close(),
  }));
  manager.clock.advance(10_000);
  assert.equal(await silent.read(into).catch(() => null), null);
});
