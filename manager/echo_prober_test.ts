import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip, readUint16 } from "../net/mod.ts";
import { EchoProber } from "./echo_prober.ts";
import { FakePingSocket } from "./ping_socket_fake.ts";

const pods = { 4: Ip.parse("10.244.0.7"), 6: Ip.parse("fd00:10::7") } as const;

function setUp(family: 4 | 6 = 4) {
  const clock = new FakeClock();
  const sockets: FakePingSocket[] = [];
  const held: { to: Ip; message: Uint8Array }[] = [];
  const prober = new EchoProber({
    family,
    clock,
    open(family) {
      const socket = new FakePingSocket(family);
      const reply = socket.onRequest;
      socket.onRequest = (to, message) => {
        if (readUint16(message, 8) === 0) reply(to, message);
        else held.push({ to, message: message.slice() });
      };
      sockets.push(socket);
      return socket;
    },
  });
  const answers: number[][] = [];
  const ask = (data: number[], sequence = 5) =>
    prober.ask(
      pods[family],
      Uint8Array.of(8, 0, sequence >> 8, sequence & 255, ...data),
      (reply) => answers.push([...reply]),
    );
  // As often as the socket is read for what a test makes arrive, however slow the machine.
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  return { clock, prober, sockets, held, answers, ask, turns };
}

for (const [family, type] of [[4, 8], [6, 128]] as const) {
  Deno.test(`EchoProber asks over IPv${family} and gives each asker the reply to its own sequence number`, async () => {
    const { sockets, answers, ask, turns, prober } = setUp(family);
    assert.ok(ask([0, 0, 1], 5));
    assert.ok(ask([0, 0, 2], 5));
    await turns();
    assert.deepEqual(answers, [[0, 0, 0, 5, 0, 0, 1], [0, 0, 0, 5, 0, 0, 2]]);
    const [{ sent }] = sockets as [FakePingSocket];
    assert.deepEqual(sent.map(({ message }) => message[0]), [type, type]);
    assert.notEqual(
      readUint16(sent[0]!.message, 6),
      readUint16(sent[1]!.message, 6),
    );
    assert.equal(sockets.length, 1);
    assert.ok(sockets[0]!.isClosed, "nothing is under way");
    await prober.stop();
  });
}

Deno.test("EchoProber takes a reply only from who was asked, and once", async () => {
  const { sockets, held, answers, ask, turns, prober } = setUp();
  ask([1, 1]);
  const [{ to, message }] = held as [typeof held[0]];
  const reply = message.slice();
  reply[0] = 0;
  const [socket] = sockets as [FakePingSocket];
  socket.arrive(Ip.parse("10.244.0.8"), reply);
  socket.arrive(to, message); // a request
  socket.arrive(to, reply.slice(0, 7));
  await turns();
  assert.deepEqual(answers, []);
  socket.arrive(to, reply);
  socket.arrive(to, reply);
  await turns();
  assert.deepEqual(answers, [[0, 0, 0, 5, 1, 1]]);
  await prober.stop();
});

Deno.test("EchoProber waits ten seconds, then has no socket any more", async () => {
  const { clock, sockets, ask, turns, prober } = setUp();
  ask([1, 1]);
  clock.advance(9_999);
  await turns();
  assert.ok(!sockets[0]!.isClosed);
  clock.advance(1);
  await turns();
  assert.ok(sockets[0]!.isClosed);
  await prober.stop();
});

Deno.test("EchoProber waits for a bounded number of replies: the oldest makes room", async () => {
  const { held, sockets, answers, ask, turns, prober } = setUp();
  for (let i = 0; i <= 8192; i++) ask([1, i & 255]);
  for (const { to, message } of [held[0]!, held[1]!]) {
    const reply = message.slice();
    reply[0] = 0;
    sockets[0]!.arrive(to, reply);
  }
  await turns();
  assert.deepEqual(answers, [[0, 0, 0, 5, 1, 1]]);
  await prober.stop();
  assert.ok(sockets[0]!.isClosed);
});

Deno.test("EchoProber says where the system lets it open no socket", () => {
  const clock = new FakeClock();
  const prober = new EchoProber({ family: 4, clock, open: () => undefined });
  assert.equal(prober.isAllowed, false);
  assert.equal(prober.ask(pods[4], Uint8Array.of(8, 0, 0, 1), () => {}), false);
});
