import assert from "node:assert/strict";
import { ConnResetError, Ip, Subnet, writeAll } from "../net/mod.ts";
import { FakeNameserver } from "../dns/nameserver_fake.ts";
import { logger, setLogLevel, setLogSink } from "../log.ts";
import { FakePingSocket } from "./ping_socket_fake.ts";
import type { DirectOffer } from "./direct_offer.ts";
import { Feed } from "./feed.ts";
import {
  forbiddenPort,
  loopback,
  openServicePlace,
  readAll,
  refusedAs,
} from "./service_fake.ts";
import { encodeTarget } from "./target.ts";
import type { World } from "./world.ts";

Deno.test("Service joins a stream with a TCP connection, with its half-close", async () => {
  await using laptop = await openServicePlace();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stream = await laptop.manager.dial(loopback, listener.addr.port);
  using app = await listener.accept();
  await writeAll(stream, new Uint8Array([1, 2, 3]));
  await stream.closeWrite();
  assert.equal(await app.read(new Uint8Array(10)), 3);
  assert.equal(await app.read(new Uint8Array(10)), null);
  await writeAll(app, new Uint8Array(100_000));
  await app.closeWrite();
  assert.equal(await readAll(stream), 100_000);
  stream.close();
});

Deno.test("Service makes a reset of the stream a reset of the connection, and the other way round", async () => {
  await using laptop = await openServicePlace();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const first = await laptop.manager.dial(loopback, port);
  using app = await listener.accept();
  first.reset();
  await assert.rejects(
    app.read(new Uint8Array(1)),
    Deno.errors.ConnectionReset,
  );
  const second = await laptop.manager.dial(loopback, port);
  const { TcpConn } = await import("../tcp/mod.ts");
  new TcpConn(await listener.accept()).reset();
  await assert.rejects(second.read(new Uint8Array(1)), ConnResetError);
});

Deno.test("Service refuses with the reason", async () => {
  await using laptop = await openServicePlace();
  const { manager, session } = laptop;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(manager.dial(loopback, port), refusedAs("refused"));
  await assert.rejects(
    manager.dial(loopback, forbiddenPort),
    refusedAs("forbidden"),
  );
  await assert.rejects(
    manager.dialDatagrams(loopback, forbiddenPort),
    refusedAs("forbidden"),
  );
  for (
    const target of [[], [99], [1, 127, 0, 0, 1], [2, 127, 0, 0, 1, 0, 53]]
  ) {
    await assert.rejects(
      session.open(new Uint8Array(target)),
      refusedAs("unknown-target"),
    );
  }
  await assert.rejects(
    session.openDatagrams(new Uint8Array([4])),
    refusedAs("unknown-target"),
  );
});

Deno.test("Service asks the cluster's DNS", async () => {
  const answer = (query: Uint8Array) => new Uint8Array([...query, 4, 5]);
  await using server = await FakeNameserver.start(answer);
  await using laptop = await openServicePlace({ dnsPort: server.port });
  const query = new Uint8Array(20).fill(7, 12);
  assert.deepEqual(await laptop.manager.lookup(query), answer(query));
  await assert.rejects(
    laptop.manager.lookup(new Uint8Array(3)),
    refusedAs("failed"),
  );
});

const world = (...namespaces: string[]): World => ({
  clusterDomain: "cluster.local",
  namespaces,
  serviceSubnets: [Subnet.parse("10.96.0.0/16")],
  podSubnets: [],
  nameserver: Ip.parse("10.96.0.10"),
  version: "0.1.0",
});

Deno.test("Service tells the view of the cluster and each change of it", async () => {
  await using laptop = await openServicePlace();
  const abort = new AbortController();
  const views = laptop.manager.world(abort);
  const first = views.next();
  laptop.world.set(world("default"));
  assert.deepEqual((await first).value, world("default"));
  laptop.world.set(world("default", "shop"));
  assert.deepEqual((await views.next()).value, world("default", "shop"));
  const last = views.next();
  abort.abort();
  assert.equal((await last).done, true);
});

Deno.test("Service tells where carriers can join directly, and that there is no such place", async () => {
  const direct = new Feed<DirectOffer>();
  const offer = {
    endpoint: { host: "203.0.113.7", port: 443 },
    ...{ name: "one.manager.invalid", certificate: "PEM" },
  };
  direct.set(offer);
  await using laptop = await openServicePlace({ direct });
  const offers = laptop.manager.direct();
  assert.deepEqual((await offers.next()).value, offer);
  const later = { ...offer, certificate: "other PEM" };
  direct.set(later);
  assert.deepEqual((await offers.next()).value, later);
  await offers.return(undefined);

  await using other = await openServicePlace();
  assert.equal((await other.manager.direct().next()).done, true);
});

Deno.test("Manager.world() tells of some namespaces alone what is in them, whole and then what differs", async () => {
  await using laptop = await openServicePlace();
  const abort = new AbortController();
  const views = laptop.manager.world({
    ...{ signal: abort.signal, namespaces: ["shop"] },
  });
  const first = views.next();
  const addresses = (...texts: string[]): World => ({
    ...world("shop"),
    addresses: texts.map(Ip.parse),
  });
  laptop.world.set(world("default", "shop"));
  laptop.part.set(addresses("10.96.0.7", "10.244.0.9"));
  assert.deepEqual(
    (await first).value,
    addresses("10.96.0.7", "10.244.0.9"),
  );
  laptop.part.set(addresses("10.96.0.7", "fd00::9"));
  assert.deepEqual(
    (await views.next()).value,
    addresses("10.96.0.7", "fd00::9"),
  );
  const last = views.next();
  abort.abort();
  assert.equal((await last).done, true);
});

Deno.test("Manager.world() throws when the session ends", async () => {
  await using laptop = await openServicePlace();
  laptop.world.set(world("default"));
  const views = laptop.manager.world();
  await views.next();
  laptop.session.close();
  await assert.rejects(views.next(), ConnResetError);
});

Deno.test("Service.drain() ends the view of the cluster: so the laptop knows that the manager leaves", async () => {
  await using laptop = await openServicePlace();
  laptop.world.set(world("default"));
  const views = laptop.manager.world();
  await views.next();
  const last = views.next();
  await laptop.service.drain();
  assert.equal((await last).done, true);
});

Deno.test("Service.drain() refuses what comes and waits for what is there", async () => {
  await using laptop = await openServicePlace();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const stream = await laptop.manager.dial(loopback, port);
  using app = await listener.accept();
  let isDrained = false;
  const drained = laptop.service.drain().then(() => isDrained = true);
  await assert.rejects(laptop.manager.dial(loopback, port), refusedAs("gone"));
  assert.ok(!isDrained);
  await stream.closeWrite();
  await app.closeWrite();
  await readAll(stream);
  await drained;
});

Deno.test("Service logs more for a while when a laptop wishes it", async () => {
  const lines: string[] = [];
  setLogSink((line) => lines.push(line));
  try {
    await using laptop = await openServicePlace();
    await laptop.manager.log({ level: "debug", seconds: 60 });
    logger("test").debug("heard");
    assert.ok(lines.some((line) => line.includes('"wished":"debug"')));
    assert.ok(lines.some((line) => line.includes('"heard"')));
  } finally {
    setLogLevel("info");
    // deno-lint-ignore no-console -- as it is when a process starts
    setLogSink((line) => console.error(line));
  }
});

Deno.test("Service asks by ICMP echo, each session so often", async () => {
  const sockets: FakePingSocket[] = [];
  const openPing = (family: 4 | 6) => {
    const socket = new FakePingSocket(family);
    sockets.push(socket);
    return socket;
  };
  await using laptop = await openServicePlace({ openPing });
  const flow = await laptop.manager.dialEchoes(Ip.parse("10.96.0.1"));
  const into = new Uint8Array(100);
  flow.send(Uint8Array.of(8, 0, 1, 2, 0xaa));
  assert.equal(await flow.receive(into), 5);
  assert.deepEqual([...into.subarray(0, 5)], [0, 0, 1, 2, 0xaa]);
  for (let i = 0; i < 1000; i++) flow.send(Uint8Array.of(8, 0, 1, 2));
  await flow.receive(into);
  const sent = () => sockets.reduce((sum, { sent }) => sum + sent.length, 0);
  for (let before = -1; before !== sent();) {
    before = sent();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(sent() >= 200 && sent() < 400, `${sent()} requests were sent`);
  flow.close();
});

Deno.test("Service asks nobody by ICMP echo where it may not", async () => {
  let opened = 0;
  const openPing = () => (opened++, undefined);
  await using laptop = await openServicePlace({ openPing });
  const { manager, session } = laptop;
  const metadata = Ip.parse("169.254.169.254");
  await assert.rejects(manager.dialEchoes(metadata), refusedAs("forbidden"));
  assert.equal(opened, 0);
  const to = Ip.parse("10.96.0.1");
  await assert.rejects(manager.dialEchoes(to), refusedAs("unknown-target"));
  await assert.rejects(
    session.open(encodeTarget({ kind: "echo", ip: to })),
    refusedAs("unknown-target"),
  );
});
