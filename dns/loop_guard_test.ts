import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import {
  address,
  decode,
  gist,
  home,
  noSuchName,
  query,
  receive,
  start,
} from "./message_fake.ts";
import { FakeNameserver } from "./nameserver_fake.ts";

const nameOf = (message: Uint8Array) => decode(message).questions![0]!.name;
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("Dns breaks a loop through the cluster: what comes back is the host's, and that is the cluster's answer", async () => {
  const clock = new FakeClock();
  await using nameserver = await FakeNameserver.start((question) =>
    nameOf(question).startsWith("none.")
      ? noSuchName(question)
      : address(question, "192.0.2.9")
  );
  const asked: string[] = [];
  /** A cluster that asks this laptop what it does not know. */
  const lookup = async (question: Uint8Array): Promise<Uint8Array> => {
    asked.push(nameOf(question));
    await Promise.resolve(); // the way there
    const flow = dns.datagrams();
    flow.send(question);
    return await receive(flow).finally(() => flow.close());
  };
  await using dns = start({
    ...{ clock, lookup, nameservers: () => [home] },
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  const ask = async (name: string, waitMs: number) => {
    flow.send(query(name));
    await pause();
    clock.advance(waitMs - 1);
    await pause();
    assert.equal(nameserver.queries.length, before);
    clock.advance(1);
    return gist(await receive(flow));
  };
  let before = 0;
  const found = await ask("web.bakery.svc", 300);
  assert.deepEqual([found.code, found.answers], [0, ["192.0.2.9"]]);
  before = 1;
  const none = await ask("none.bakery.svc", 30);
  assert.deepEqual([none.code, none.answers], [3, []]);
  assert.deepEqual(nameserver.queries.map(nameOf), [
    "web.bakery.svc.cluster.local",
    "none.bakery.svc.cluster.local",
  ]);
  assert.deepEqual(asked.map((name) => name.replace(/loop-\w+/, "loop")), [
    "web.bakery.svc.cluster.local",
    "tp-loop.bakery.svc.cluster.local",
    "none.bakery.svc.cluster.local",
    "tp-loop.bakery.svc.cluster.local",
  ]);
  assert.equal(dns.stats().loops, 2);
});

Deno.test("Dns leaves equal questions together while a cluster is slow that does not ask back", async () => {
  const clock = new FakeClock();
  const held = Promise.withResolvers<void>();
  const probes: Uint8Array[] = [];
  await using nameserver = await FakeNameserver.start((question) =>
    address(question, "192.0.2.9")
  );
  await using dns = start({
    clock,
    lookup: async (question) => {
      if (nameOf(question).startsWith("tp-loop-")) {
        probes.push(question);
        return noSuchName(question);
      }
      await held.promise;
      return address(question, "10.96.0.7");
    },
    nameservers: () => [home],
    nameserverPort: nameserver.port,
  });
  const flow = dns.datagrams();
  for (let i = 0; i < 3; i++) flow.send(query("web"));
  clock.advance(300);
  await pause();
  held.resolve();
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(gist(await receive(flow)).answers, ["10.96.0.7"]);
  }
  assert.equal(probes.length, 1);
  assert.equal(dns.stats().loops, 0);
});
