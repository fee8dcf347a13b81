import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
// @ts-types="@types/dns-packet"
import type packet from "dns-packet";
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
  soa,
  start,
  zones,
} from "./message_fake.ts";
import { FakeNameserver } from "./nameserver_fake.ts";
import { connPair, writeAll } from "../net/mod.ts";

Deno.test("Dns answers a service's short name with the cluster's answer", async () => {
  const asked: string[] = [];
  await using dns = start({
    lookup: (question) => {
      asked.push(decode(question).questions![0]!.name);
      return Promise.resolve(address(question, "10.96.0.7"));
    },
  });
  const flow = dns.datagrams();
  for (
    const name of [
      "web",
      "WEB.bakery",
      "web.bakery.svc",
      "web.bakery.svc.cluster.local",
    ]
  ) {
    const question = query(name);
    flow.send(question);
    const answer = await receive(flow);
    const { answers, questions } = decode(answer);
    assert.equal(questions![0]!.name, name);
    assert.equal(answers![0]!.name, name);
    assert.deepEqual(gist(answer), {
      id: lastId,
      code: 0,
      answers: ["10.96.0.7"],
    });
  }
  assert.deepEqual(asked, ["web.bakery.svc.cluster.local"]);
  assert.equal(dns.stats().cacheHits, 3);
});

Deno.test("Dns answers AAAA of a service without IPv6 at once and empty, without the host", async () => {
  await using dns = start({
    lookup: (question) =>
      Promise.resolve(respond(question, { authorities: [soa] })),
  });
  const flow = dns.datagrams();
  flow.send(query("web", { type: "AAAA" }));
  assert.deepEqual(gist(await receive(flow)), {
    id: lastId,
    code: 0,
    answers: [],
  });
});

Deno.test("Dns asks for a single label in each namespace of the search, until one has it", async () => {
  const asked: string[] = [];
  await using dns = start({
    zones: () => ({ ...zones, search: ["bakery", "mill", "farm"] }),
    lookup: (question) => {
      const { name } = decode(question).questions![0]!;
      asked.push(name);
      return Promise.resolve(
        name.startsWith("web.mill.")
          ? address(question, "10.96.0.9")
          : noSuchName(question),
      );
    },
  });
  const flow = dns.datagrams();
  flow.send(query("web"));
  const answer = await receive(flow);
  assert.deepEqual(gist(answer).answers, ["10.96.0.9"]);
  assert.equal(decode(answer).answers![0]!.name, "web");
  assert.deepEqual(asked, [
    "web.bakery.svc.cluster.local",
    "web.mill.svc.cluster.local",
  ]);
});

Deno.test("Dns asks the cluster once for equal questions at a time", async () => {
  const held = Promise.withResolvers<void>();
  let lookups = 0;
  await using dns = start({
    lookup: async (question) => {
      lookups++;
      await held.promise;
      return address(question, "10.96.0.7", 0);
    },
  });
  const flow = dns.datagrams();
  for (let i = 0; i < 50; i++) flow.send(query(i % 2 ? "web" : "Web.bakery"));
  held.resolve();
  for (let i = 0; i < 50; i++) {
    assert.deepEqual(gist(await receive(flow)).answers, ["10.96.0.7"]);
  }
  assert.equal(lookups, 1);
  assert.equal(dns.stats().joined, 49);
});

Deno.test("Dns keeps the cluster's answers for their TTL, and takes their age off; that there is none for a second at most", async () => {
  const clock = new FakeClock();
  let lookups = 0;
  await using dns = start({
    clock,
    lookup: (question) => {
      lookups++;
      return Promise.resolve(
        decode(question).questions![0]!.name.startsWith("web.")
          ? address(question, "10.96.0.7", 30)
          : noSuchName(question),
      );
    },
  });
  const flow = dns.datagrams();
  const ask = async (name: string) => {
    flow.send(query(name));
    return decode(await receive(flow));
  };
  await ask("web.bakery.svc");
  await ask("none.bakery.svc");
  assert.equal(lookups, 2);
  clock.advance(999);
  await ask("none.bakery.svc");
  assert.equal(lookups, 2);
  clock.advance(1);
  await ask("none.bakery.svc");
  assert.equal(lookups, 3);
  clock.advance(3_999);
  const { answers } = await ask("web.bakery.svc");
  assert.equal((answers![0] as packet.StringAnswer).ttl, 26);
  clock.advance(25_000);
  await ask("web.bakery.svc");
  assert.equal(lookups, 3);
  clock.advance(1);
  await ask("web.bakery.svc");
  assert.equal(lookups, 4);
});

Deno.test("Dns keeps no more answers than it has room for", async () => {
  const asked: string[] = [];
  await using dns = start({
    cacheCapacity: 2,
    lookup: (question) => {
      asked.push(decode(question).questions![0]!.name.slice(0, 1));
      return Promise.resolve(address(question, "10.96.0.7"));
    },
  });
  const flow = dns.datagrams();
  for (const name of ["a", "b", "a", "c", "a", "b"]) {
    flow.send(query(name));
    await receive(flow);
  }
  assert.deepEqual(asked, ["a", "b", "c", "b"]);
  assert.equal(dns.stats().cacheEntries, 2);
});

Deno.test("Dns gives up on the cluster after the lookup's time", async () => {
  const clock = new FakeClock();
  const signals: AbortSignal[] = [];
  await using dns = start({
    clock,
    lookup: (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const flow = dns.datagrams();
  flow.send(query("web"));
  clock.advance(9_999);
  assert.equal(dns.stats().inFlight, 1);
  clock.advance(1);
  assert.equal(gist(await receive(flow)).code, 2);
  assert.ok(signals[0]!.aborted);
  assert.equal(dns.stats().failed, 1);
});

Deno.test("Dns sends who asks for a name of the cluster to TCP when the answer is slow, and asks once", async () => {
  const clock = new FakeClock();
  const held = Promise.withResolvers<void>();
  let lookups = 0;
  await using dns = start({
    clock,
    lookup: async (question) => {
      lookups++;
      await held.promise;
      return address(question, "10.96.0.7");
    },
  });
  const flow = dns.datagrams();
  flow.send(query("web.bakery"));
  clock.advance(700);
  const { flag_tc: cut, answers } = decode(await receive(flow));
  assert.deepEqual({ cut, answers }, { cut: true, answers: [] });

  const [ours, theirs] = connPair();
  const served = dns.serve(theirs);
  const asked = query("web.bakery");
  await writeAll(ours, Uint8Array.of(0, asked.length, ...asked));
  clock.advance(5_000);
  held.resolve();
  const frame = new Uint8Array(512);
  const count = await ours.read(frame);
  assert.deepEqual(gist(frame.subarray(2, count!)).answers, ["10.96.0.7"]);
  assert.equal(lookups, 1);
  ours.close();
  await served;
});

Deno.test("Dns sends nobody to TCP for a single label: it may be the host's own", async () => {
  const clock = new FakeClock();
  const held = Promise.withResolvers<Uint8Array>();
  await using dns = start({ clock, lookup: () => held.promise });
  const flow = dns.datagrams();
  flow.send(query("printer"));
  clock.advance(5_000);
  assert.equal(dns.stats().inFlight, 1);
});

Deno.test("Dns fails a name of the cluster when its answer is broken or to another question", async () => {
  const answers = [
    () => new Uint8Array(3),
    (question: Uint8Array) =>
      respond(query("other", { id: decode(question).id! })),
    (question: Uint8Array) => {
      const answer = address(question, "10.96.0.7");
      answer[0]! ^= 1;
      return answer;
    },
  ];
  await using dns = start({
    lookup: (question) => Promise.resolve(answers.pop()!(question)),
  });
  const flow = dns.datagrams();
  while (answers.length > 0) {
    flow.send(query("web"));
    assert.equal(gist(await receive(flow)).code, 2);
  }
});

Deno.test("Dns fails at once what is asked of a cluster above its bound, and counts it; the host's and what is kept it answers", async () => {
  const held = Promise.withResolvers<void>();
  await using nameserver = await FakeNameserver.start((question) =>
    address(question, "192.0.2.1")
  );
  await using dns = start({
    maxInFlight: 6,
    nameservers: () => [home],
    nameserverPort: nameserver.port,
    lookup: async (question) => {
      const { name } = decode(question).questions![0]!;
      if (!name.startsWith("kept.")) await held.promise;
      return address(question, "10.96.0.7");
    },
  });
  const flow = dns.datagrams();
  flow.send(query("kept"));
  await receive(flow);
  for (const name of ["a", "b", "c", "d"]) flow.send(query(name));
  const answer = gist(await receive(flow));
  assert.deepEqual([answer.id, answer.code], [lastId, 2]);
  assert.equal(dns.stats().overflowed, 1);
  for (
    const [name, ip] of [
      ["kept", "10.96.0.7"],
      ["example.com", "192.0.2.1"],
    ] as const
  ) {
    flow.send(query(name));
    assert.deepEqual(gist(await receive(flow)).answers, [ip]);
  }
  held.resolve();
  for (let i = 0; i < 3; i++) assert.equal(gist(await receive(flow)).code, 0);
});

Deno.test("Dns fails at once what is above its bound in all, and counts it", async () => {
  await using nameserver = await FakeNameserver.start(() => undefined);
  await using dns = start({
    maxInFlight: 3,
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  for (const name of ["a", "b", "c", "d"]) flow.send(query(`${name}.test`));
  const answer = gist(await receive(flow));
  assert.deepEqual([answer.id, answer.code], [lastId, 2]);
  assert.equal(dns.stats().overflowed, 1);
});

Deno.test("Dns.stop() ends flows, connections and what is in flight", async () => {
  await using nameserver = await FakeNameserver.start(() => undefined);
  const signals: AbortSignal[] = [];
  const dns = start({
    lookup: (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    },
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  flow.send(query("web"));
  flow.send(query("example.com"));
  await nameserver.asked(1);
  const [app, ours] = connPair();
  const served = dns.serve(ours);
  const received = flow.receive(new Uint8Array(1));
  await dns.stop();
  assert.equal(await received, null);
  await served;
  await assert.rejects(app.read(new Uint8Array(1)));
  assert.ok(signals[0]!.aborted);
  assert.equal(await dns.datagrams().receive(new Uint8Array(1)), null);
  await dns.stop();
});

Deno.test("Dns.addresses() gives the addresses of a name as its apps are told them, none for what is no name", async () => {
  await using dns = start({
    lookup: (question) => {
      const { name, type } = decode(question).questions![0]!;
      if (!name.startsWith("web.")) {
        return Promise.resolve(noSuchName(question));
      }
      return Promise.resolve(
        type === "A"
          ? address(question, "10.96.0.7")
          : respond(question, { authorities: [soa] }),
      );
    },
  });
  const texts = async (name: string) => (await dns.addresses(name)).map(String);
  assert.deepEqual(await texts("web.bakery"), ["10.96.0.7"]);
  assert.deepEqual(await texts("10.1.2.3"), ["10.1.2.3"]);
  assert.deepEqual(await texts("fd00::1"), ["fd00::1"]);
  assert.deepEqual(await texts("other.bakery.svc.cluster.local"), []);
  assert.deepEqual(await texts("no..name"), []);
});
