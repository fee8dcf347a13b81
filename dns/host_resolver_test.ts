import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip } from "../net/mod.ts";
import { FakeNameserver } from "./nameserver_fake.ts";
import {
  address,
  decode,
  gist,
  home,
  lastId,
  noSuchName,
  query,
  receive,
  respond,
  start,
} from "./message_fake.ts";

Deno.test("Dns hands other names to the host's nameserver and its answer back, octet by octet", async () => {
  const reply = (question: Uint8Array) =>
    new Uint8Array([...respond(question), 1, 2, 3, 255, 254, 0]);
  await using nameserver = await FakeNameserver.start(reply);
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  const question = new Uint8Array([...query("eXample.com"), 9, 8, 7]);
  flow.send(question);
  const answer = await receive(flow);
  assert.deepEqual(answer, reply(question));
  assert.deepEqual(nameserver.queries[0]!.subarray(2), question.subarray(2));
  assert.equal(dns.stats().host, 1);
});

Deno.test("Dns passes on what it can not read, and drops what is no query", async () => {
  await using nameserver = await FakeNameserver.start((question) => question);
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  const update = query("web.bakery");
  update[2] = 0x28; // opcode UPDATE
  flow.send(update);
  assert.deepEqual(await receive(flow), update);
  flow.send(new Uint8Array(11));
  flow.send(respond(query("web.bakery")));
  assert.equal(dns.stats().dropped, 2);
  assert.equal(nameserver.queries.length, 1);
});

Deno.test("Dns asks the host for a short name that the cluster does not know", async () => {
  await using nameserver = await FakeNameserver.start((question) =>
    address(question, "192.0.2.1")
  );
  await using dns = start({
    lookup: (question) => Promise.resolve(noSuchName(question)),
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  for (const name of ["nas", "nas.bakery"]) {
    flow.send(query(name));
    assert.deepEqual(gist(await receive(flow)).answers, ["192.0.2.1"]);
  }
  flow.send(query("nas.bakery.svc"));
  assert.equal(gist(await receive(flow)).code, 3);
  assert.equal(nameserver.queries.length, 2);
});

Deno.test("Dns lets the cluster say that a short name does not exist when the host is silent", async () => {
  await using dns = start({
    lookup: (question) => Promise.resolve(noSuchName(question)),
  });
  const flow = dns.datagrams();
  flow.send(query("nas"));
  assert.equal(gist(await receive(flow)).code, 3);
});

Deno.test("Dns asks the host once for equal questions at a time, and keeps no answer", async () => {
  const held = Promise.withResolvers<void>();
  await using nameserver = await FakeNameserver.start(async (question) => {
    await held.promise;
    return address(question, "192.0.2.1");
  });
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  const ids = new Set<number>();
  for (let i = 0; i < 20; i++) {
    flow.send(query("example.com"));
    ids.add(lastId);
  }
  await nameserver.asked(1);
  held.resolve();
  for (let i = 0; i < 20; i++) ids.delete(gist(await receive(flow)).id!);
  assert.equal(ids.size, 0);
  assert.equal(nameserver.queries.length, 1);
  flow.send(query("example.com"));
  await receive(flow);
  assert.equal(nameserver.queries.length, 2);
});

Deno.test("Dns asks the next nameserver when one fails", async () => {
  await using bad = await FakeNameserver.start((question) =>
    respond(question, { flags: 2 })
  );
  await using good = await FakeNameserver.start(
    (question) => address(question, "192.0.2.1"),
    { address: "127.0.0.2", port: bad.port },
  );
  await using dns = start({
    nameservers: () => [home, Ip.parse("127.0.0.2")],
    nameserverPort: bad.port,
    clock: new FakeClock(),
  });
  const flow = dns.datagrams();
  flow.send(query("example.com"));
  assert.deepEqual(gist(await receive(flow)).answers, ["192.0.2.1"]);
  assert.equal(good.queries.length, 1);
});

Deno.test("Dns gives the failure of the only nameserver as it came", async () => {
  const refuse = (question: Uint8Array) => respond(question, { flags: 5 });
  await using nameserver = await FakeNameserver.start(refuse);
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
    clock: new FakeClock(),
  });
  const flow = dns.datagrams();
  const question = query("example.com");
  flow.send(question);
  assert.deepEqual(await receive(flow), refuse(question));
});

Deno.test("Dns asks the next nameserver when one is silent, and still takes the first one's answer", async () => {
  const clock = new FakeClock();
  const held = Promise.withResolvers<void>();
  await using slow = await FakeNameserver.start(async (question) => {
    await held.promise;
    return address(question, "192.0.2.1");
  });
  await using silent = await FakeNameserver.start(() => undefined, {
    address: "127.0.0.2",
    port: slow.port,
  });
  await using dns = start({
    nameservers: () => [home, Ip.parse("127.0.0.2")],
    nameserverPort: slow.port,
    clock,
  });
  const flow = dns.datagrams();
  flow.send(query("example.com"));
  await slow.asked(1);
  clock.advance(1500);
  await silent.asked(1);
  held.resolve();
  assert.deepEqual(gist(await receive(flow)).answers, ["192.0.2.1"]);
});

Deno.test("Dns sends a lost datagram again, and fails when no nameserver answers", async () => {
  const clock = new FakeClock();
  await using nameserver = await FakeNameserver.start(() => undefined);
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
    clock,
  });
  const flow = dns.datagrams();
  flow.send(query("example.com"));
  for (let i = 1; i <= 3; i++) {
    await nameserver.asked(i);
    clock.advance(1500);
  }
  assert.equal(gist(await receive(flow)).code, 2);
  assert.equal(nameserver.queries.length, 3);
});

Deno.test("Dns ignores answers to another question", async () => {
  await using nameserver = await FakeNameserver.start((question, { stream }) =>
    stream
      ? undefined
      : address(query("forged", { id: decode(question).id! }), "192.0.2.66")
  );
  const clock = new FakeClock();
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
    clock,
  });
  const flow = dns.datagrams();
  flow.send(query("example.com"));
  for (let i = 1; i <= 3; i++) {
    await nameserver.asked(i);
    clock.advance(1500);
  }
  assert.equal(gist(await receive(flow)).code, 2);
});

Deno.test("Dns tells an app to ask over TCP when the host's answer is too large for its way", async () => {
  await using nameserver = await FakeNameserver.start((question) =>
    respond(question, {
      answers: [{
        type: "TXT",
        name: "example.com",
        data: Array.from({ length: 8 }, () => Buffer.alloc(200)),
      }],
    })
  );
  await using dns = start({
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  flow.send(query("example.com", { type: "TXT" }));
  const answer = decode(await receive(flow));
  assert.ok(answer.flag_tc);
  assert.equal(answer.answers!.length, 0);
});
