import assert from "node:assert/strict";
import { connect as connectFrom, type Socket } from "node:net";
import { FakeClock } from "../../net/clock_fake.ts";
import { TcpConn } from "../../tcp/mod.ts";
import { createIdentity, dialSession, MemoryBudget } from "../../tunnel/mod.ts";
import { makeCertificate } from "../certificate.ts";
import { Feed } from "../feed.ts";
import {
  AgentDoor,
  type AgentDoorOptions,
  type ServingCertificate,
} from "./agent_door.ts";

const name = "manager.tp.invalid";

/** A free port, for a moment. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function certificate(): Promise<ServingCertificate> {
  const now = Date.now();
  return makeCertificate({
    name,
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 60_000),
  });
}

function open(
  welcome: AgentDoorOptions["welcome"] = () => (one) => one.accept().close(),
) {
  const clock = new FakeClock();
  const certificates = new Feed<ServingCertificate>();
  const address = { hostname: "127.0.0.1", port: freePort() };
  const door = new AgentDoor({
    ...{ address, certificates, clock },
    budget: new MemoryBudget(64 * 1024 ** 2),
    welcome,
  });
  const connect = async ({ cert }: ServingCertificate) => {
    for (;;) {
      try {
        const below = await Deno.connect(address);
        const options = { hostname: name, caCerts: [cert] };
        const conn = await Deno.startTls(below, options);
        await conn.handshake().catch((error) => {
          conn.close();
          throw error;
        });
        return new TcpConn(conn);
      } catch (error) {
        // The door opens, and opens anew, a moment after there is a certificate.
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
    }
  };
  return {
    ...{ clock, certificates, door, address, connect },
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]();
    },
  };
}

Deno.test("AgentDoor opens with the first certificate; sessions stand when another comes, who comes then must know it", async () => {
  await using manager = open();
  const { certificates, connect, door } = manager;
  await assert.rejects(Deno.connect(manager.address));
  const first = await certificate();
  certificates.set(first);
  const session = await dialSession({
    ...{ product: "tp/test", identity: await createIdentity() },
    dial: () => connect(first),
    limits: { graceMs: 0, carriers: 1 },
  });
  (await session.open(new Uint8Array([4]))).close();
  const second = await certificate();
  certificates.set(second);
  for (;;) {
    const conn = await connect(second).catch(() => undefined);
    if (conn === undefined) continue;
    conn.close();
    break;
  }
  await assert.rejects(connect(first), Deno.errors.InvalidData);
  (await session.open(new Uint8Array([4]))).close();
  assert.equal(door.sessions, 1);
  session.close();
  await session.ended;
});

Deno.test("AgentDoor lets go of who does not shake hands, or is no agent", async () => {
  await using manager = open();
  const first = await certificate();
  manager.certificates.set(first);
  const other = await manager.connect(first);
  await other.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const into = new Uint8Array(4096);
  while (await other.read(into).catch(() => null) !== null);
  other.close();
  using silent = await Deno.connect(manager.address);
  // Accepted before the next one.
  (await manager.connect(first)).close();
  manager.clock.advance(10_000);
  assert.equal(await silent.read(into).catch(() => null), null);
});

/** Connections from one address that say nothing; resolves with how many the door holds. */
async function knock(
  sockets: Socket[],
  { port, localAddress }: { port: number; localAddress: string },
): Promise<number> {
  const knocks = Array.from({ length: 300 }, async () => {
    const socket = connectFrom({ host: "127.0.0.1", port, localAddress });
    sockets.push(socket);
    socket.on("error", () => {});
    const connected = new Promise((done) => socket.once("connect", done));
    const closed = new Promise((done) => socket.once("close", done));
    await Promise.race([connected, closed]);
  });
  await Promise.all(knocks);
  await new Promise((done) => setTimeout(done, 200));
  return sockets.filter((one) => one.localAddress === localAddress)
    .filter(({ destroyed }) => !destroyed).length;
}

Deno.test("AgentDoor keeps a place for an agent while others hold connections that prove nothing, and ends those", async () => {
  await using manager = open((_session, guest) => {
    guest.prove();
    return (incoming) => incoming.accept().close();
  });
  const first = await certificate();
  manager.certificates.set(first);
  (await manager.connect(first)).close();
  const sockets: Socket[] = [];
  const { port } = manager.address;
  const held: number[] = [];
  for (const localAddress of ["127.0.0.2", "127.0.0.3"]) {
    held.push(await knock(sockets, { port, localAddress }));
  }
  assert.ok(held[0]! <= 256 && held[0]! > 200, String(held));
  assert.ok(held[1]! <= 128 && held[1]! > 100, String(held));
  const session = await dialSession({
    ...{ product: "tp/test", identity: await createIdentity() },
    dial: () => manager.connect(first),
    limits: { graceMs: 0, carriers: 1 },
  });
  (await session.open(new Uint8Array([4]))).close();
  const closed = sockets.map((one) =>
    one.closed || new Promise((done) => one.once("close", done))
  );
  for (let second = 0; second < 10; second++) {
    manager.clock.advance(1_000);
    // The session's carrier shows that it lives.
    await new Promise((done) => setTimeout(done, 20));
  }
  await Promise.all(closed);
  // Who has proven itself stays.
  (await session.open(new Uint8Array([4]))).close();
  session.close();
  await session.ended;
});

Deno.test("AgentDoor ends a session that has proven nothing with its connection, and 10 s after it came", async () => {
  await using manager = open();
  const first = await certificate();
  manager.certificates.set(first);
  const dial = async () =>
    await dialSession({
      ...{ product: "tp/test", identity: await createIdentity() },
      dial: () => manager.connect(first),
      limits: { graceMs: 0, carriers: 1 },
    });
  const session = await dial();
  (await session.open(new Uint8Array([4]))).close();
  assert.equal(manager.door.sessions, 1);
  manager.clock.advance(10_000);
  await session.ended;
  while (manager.door.sessions > 0) {
    await new Promise((done) => setTimeout(done, 5));
  }
});
