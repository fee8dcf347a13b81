/** A session outlives its carriers: what was written arrives once and in order. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  type Conn,
  ConnResetError,
  type Datagrams,
  writeAll,
} from "../net/mod.ts";
import { FakeCarrier, openFleet } from "./carriers_fake.ts";
import type { LiveSession } from "./live_session.ts";
import type { Incoming } from "./mod.ts";
import { bytesOf, echo, pattern, readAll, until } from "./session_fake.ts";

function keeper() {
  const conns: Conn[] = [];
  return {
    conns,
    serve: (incoming: Incoming) => void conns.push(incoming.accept()),
  };
}

Deno.test("streams of both ends go on when their carrier breaks, with every byte", async () => {
  const { conns, serve } = keeper();
  await using fleet = await openFleet({ serve, serveDialer: echo });
  const near = await fleet.dialer.open(bytesOf("x"));
  const own = await fleet.acceptor.open(bytesOf("y"));
  const data = pattern(3_000_000);
  const writing = writeAll(near, data).then(() => near.closeWrite());
  const echoing = writeAll(own, data).then(() => own.closeWrite());
  const echoed = readAll(own);
  const far = conns[0]!;
  await far.read(new Uint8Array(10));
  fleet.carriers[0]!.reset();
  const rest = await readAll(far);
  assert.deepEqual(rest, data.subarray(10));
  await writing;
  await far.closeWrite();
  assert.equal(await near.read(new Uint8Array(1)), null);
  assert.deepEqual(await echoed, data);
  await echoing;
  await until(() => fleet.dialer.stats().streams === 0);
  await until(() => fleet.acceptor.stats().streams === 0);
  assert.equal(fleet.dialer.stats().keptBytes, 0);
  assert.equal(fleet.dialer.stats().moves, 1);
});

Deno.test("an idle stream and one that waits for its answer move", async () => {
  const arrivals: Incoming[] = [];
  await using fleet = await openFleet({
    serve: (incoming) => void arrivals.push(incoming),
  });
  const opening = fleet.dialer.open(bytesOf("slow"));
  await until(() => arrivals.length === 1);
  fleet.carriers[0]!.reset();
  await until(() => fleet.dialer.stats().moves === 1);
  const far = arrivals[0]!.accept();
  const near = await opening;
  fleet.carriers[1]!.reset();
  await until(() => fleet.dialer.stats().moves === 2);
  await near.write(bytesOf("hello"));
  const buffer = new Uint8Array(10);
  assert.equal(await far.read(buffer), 5);
  assert.equal(arrivals.length, 1);
  near.reset();
  await assert.rejects(far.read(buffer), ConnResetError);
});

Deno.test("datagrams go on after their carrier; those under way are lost", async () => {
  const flows: Datagrams[] = [];
  await using fleet = await openFleet({
    serve: (incoming) => void flows.push(incoming.acceptDatagrams()),
  });
  const near = await fleet.dialer.openDatagrams(bytesOf("udp"));
  fleet.carriers[0]!.reset();
  await until(() => fleet.dialer.stats().moves === 1);
  near.send(bytesOf("one"));
  const buffer = new Uint8Array(10);
  assert.equal(await flows[0]!.receive(buffer), 3);
  flows[0]!.close();
  fleet.carriers[1]!.reset();
  assert.equal(await near.receive(buffer), null);
  await until(() => fleet.dialer.stats().streams === 0);
  await until(() => fleet.acceptor.stats().streams === 0);
});

Deno.test("ten thousand streams move", async () => {
  const { conns, serve } = keeper();
  await using fleet = await openFleet({
    serve,
    limits: { unanswered: 20_000 },
  });
  const count = 10_000;
  const nears = await Promise.all(
    Array.from({ length: count }, (_, i) => fleet.dialer.open(bytesOf(`${i}`))),
  );
  for (const near of nears) void near.write(bytesOf("hello"));
  fleet.carriers[0]!.reset();
  await until(() => fleet.dialer.stats().moves === 1);
  const buffer = new Uint8Array(10);
  for (const conn of conns) assert.equal(await conn.read(buffer), 5);
  for (const near of nears) near.close();
  for (const conn of conns) conn.close();
  await until(() => fleet.dialer.stats().streams === 0);
  await until(() => fleet.acceptor.stats().streams === 0);
});

Deno.test("a carrier that breaks in the middle of a move costs nothing", async () => {
  const { conns, serve } = keeper();
  // The second carrier breaks at each place of the move, once.
  for (let afterBytes = 150; afterBytes < 700; afterBytes += 10) {
    conns.length = 0;
    await using fleet = await openFleet({
      serve,
      serveDialer: serve,
      carrier: (index) =>
        new FakeCarrier(
          index === 1 ? { fate: { kind: "reset", afterBytes } } : {},
        ),
    });
    const near = await fleet.dialer.open(bytesOf("x"));
    const far = await fleet.acceptor.open(bytesOf("y"));
    fleet.carriers[0]!.reset();
    await Promise.all([near.write(bytesOf("ab")), far.write(bytesOf("cde"))]);
    await Promise.all([near.closeWrite(), far.closeWrite()]);
    const got = await Promise.all(conns.map((conn) => readAll(conn)));
    assert.deepEqual(got, [bytesOf("ab"), bytesOf("cde")]);
    for (const conn of conns) conn.close();
    await until(() => fleet.dialer.stats().streams === 0);
    await until(() => fleet.acceptor.stats().streams === 0);
  }
});

Deno.test("a stream that goes to and fro between carriers while whole frames of it are written loses none, and spoils no other", async () => {
  await using fleet = await openFleet({
    serve: echo,
    carrier: (index) =>
      new FakeCarrier({ bufferBytes: 20_000 << index, isSlow: true }),
  });
  const dialer = fleet.dialer as LiveSession;
  for (let carriers = 2; carriers <= 3; carriers++) {
    dialer.keeper!.onBulk(3);
    await until(() => dialer.carriers.size === carriers);
  }
  const datas = [1, 2, 3].map((seed) => pattern(1_000_000, seed));
  const conns = await Promise.all(
    datas.map((_, i) => fleet.dialer.open(bytesOf(`${i}`))),
  );
  let isOver = false;
  const changing = (async () => {
    for (let i = 0; !isOver; i++) {
      const carriers = [...dialer.carriers.values()];
      dialer.change([1, 3, 5][i % 3]!, carriers[(i >> 2) % 3]!);
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  const echoes = await Promise.all(conns.map(async (conn, i) => {
    const writing = writeAll(conn, datas[i]!).then(() => conn.closeWrite());
    const [echo] = await Promise.all([readAll(conn), writing]);
    return echo;
  }));
  isOver = true;
  await changing;
  for (const [i, one] of echoes.entries()) {
    assert.equal(Buffer.compare(one, datas[i]!), 0);
  }
  const { movedStreams, resentBytes } = fleet.dialer.stats();
  assert.ok(movedStreams > 5, `${movedStreams}`);
  assert.ok(resentBytes > 0);
  await until(() => fleet.acceptor.stats().streams === 0);
  assert.equal(fleet.dialer.stats().keptBytes, 0);
});
