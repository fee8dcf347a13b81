import assert from "node:assert/strict";
import { connect as connectFrom, type Socket } from "node:net";
import { FakeClock } from "../../net/clock_fake.ts";
import { soon } from "../../net/soon_fake.ts";
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

/** Connections that say nothing. */
class Knocking implements AsyncDisposable {
  readonly #sockets: {
    from: string;
    socket: Socket;
    over: Promise<unknown>;
  }[] = [];
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Resolves with how many the door holds of those that came from this address. */
  async knock(from: string): Promise<number> {
    const knocks = Array.from({ length: 300 }, async () => {
      const socket = connectFrom({
        ...{ host: "127.0.0.1", port: this.#port, localAddress: from },
      });
      socket.on("error", () => {});
      const connected = new Promise((done) => socket.once("connect", done));
      const over = new Promise((done) => socket.once("close", done));
      this.#sockets.push({ from, socket, over });
      await Promise.race([connected, over]);
    });
    await Promise.all(knocks);
    await new Promise((done) => setTimeout(done, 200));
    return this.#sockets.filter((one) => one.from === from)
      .filter(({ socket }) => !socket.destroyed).length;
  }

  /** Resolves when the door has ended all. */
  async over(): Promise<void> {
    await Promise.all(this.#sockets.map(({ over }) => over));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#sockets) socket.destroy();
    await this.over();
  }
}

/** Lets time pass in which a session's carrier shows that it lives. */
async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1_000);
    await new Promise((done) => setTimeout(done, 20));
  }
}

async function sessionAt(
  manager: ReturnType<typeof open>,
  certificate: ServingCertificate,
) {
  return await dialSession({
    ...{ product: "tp/test", identity: await createIdentity() },
    dial: () => manager.connect(certificate),
    limits: { graceMs: 0, carriers: 1 },
  });
}

Deno.test("AgentDoor keeps a place for an agent while others hold connections that prove nothing, and ends those", async () => {
  await using manager = open((_session, guest) => {
    guest.prove();
    return (incoming) => incoming.accept().close();
  });
  const first = await certificate();
  manager.certificates.set(first);
  (await manager.connect(first)).close();
  await using knocking = new Knocking(manager.address.port);
  const one = await knocking.knock("127.0.0.2");
  assert.ok(one <= 256 && one > 200, String(one));
  const other = await knocking.knock("127.0.0.3");
  assert.ok(other <= 128 && other > 100, String(other));
  const session = await soon("a session", sessionAt(manager, first));
  using _ = { [Symbol.dispose]: () => session.close() };
  (await session.open(new Uint8Array([4]))).close();
  await pass(manager.clock, 10);
  await soon("the others' end", knocking.over());
  // Who has proven itself stays.
  (await session.open(new Uint8Array([4]))).close();
  session.close();
  await session.ended;
});

Deno.test("AgentDoor ends a session that has proven nothing with its connection, and 10 s after it came", async () => {
  await using manager = open();
  const first = await certificate();
  manager.certificates.set(first);
  const session = await soon("a session", sessionAt(manager, first));
  using _ = { [Symbol.dispose]: () => session.close() };
  (await session.open(new Uint8Array([4]))).close();
  await pass(manager.clock, 9);
  assert.equal(manager.door.sessions, 1);
  await pass(manager.clock, 1);
  await soon("its end", session.ended);
  for (let i = 0; i < 200 && manager.door.sessions > 0; i++) {
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.equal(manager.door.sessions, 0);
});
