/** What a cluster that answers nothing may keep from others. */
import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import type { DnsCluster } from "./dns_cluster.ts";
import { startDns } from "./dns.ts";
import {
  address,
  decode,
  gist,
  home,
  noSuchName,
  query,
  receive,
  zones,
} from "./message_fake.ts";
import { FakeNameserver } from "./nameserver_fake.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A laptop with two clusters: "one" is silent, "two" knows whatever is called `web`. */
async function open({ isAway }: { isAway: boolean }) {
  const clock = new FakeClock();
  const nameserver = await FakeNameserver.start((question) =>
    address(question, "192.0.2.1")
  );
  let lookups = 0;
  const one: DnsCluster = {
    ...{ name: "one", zones: () => zones, isAway: () => isAway },
    lookup: () => {
      lookups++;
      return new Promise(() => {});
    },
  };
  const two: DnsCluster = {
    ...{ name: "two", zones: () => zones },
    lookup: (question) =>
      Promise.resolve(
        decode(question).questions![0]!.name.startsWith("web.")
          ? address(question, "10.96.0.2", 0)
          : noSuchName(question),
      ),
  };
  const clusters = [one, two];
  const dns = startDns({
    ...{ clusters: () => clusters, clock, nameservers: () => [home] },
    nameserverPort: nameserver.port,
  });
  return {
    ...{ clock, dns },
    get lookups() {
      return lookups;
    },
    /** Resolves when no more lookups begin. */
    async settle() {
      for (let before = -1; before < lookups;) {
        before = lookups;
        for (let i = 0; i < 3; i++) await tick();
      }
    },
    async ask(name: string) {
      const flow = dns.datagrams();
      flow.send(query(name));
      const { answers } = gist(await receive(flow));
      flow.close();
      return answers;
    },
    async [Symbol.asyncDispose]() {
      await dns.stop();
      await nameserver[Symbol.asyncDispose]();
    },
  };
}

Deno.test("Dns fails ten thousand names of a silent cluster in the time of a lookup, and answers whatever is another's meanwhile", async () => {
  const many = 10_000;
  const waiting = 2048;
  await using laptop = await open({ isAway: false });
  const { clock, dns } = laptop;
  let failed = 0;
  const flow = dns.datagrams();
  flow.forward!((answer) => {
    assert.equal(answer[3]! & 15, 2);
    failed++;
  });
  // Whoever asks for a single label waits for the cluster, for as long as it may take.
  for (let i = 0; i < many; i++) flow.send(query(`absent-${i}`));
  await laptop.settle();
  assert.equal(failed, many - waiting);
  assert.equal(dns.stats().inFlight, waiting);
  assert.equal(dns.stats().overflowed, many - waiting);
  let toldByTwo = 0;
  const toTwo = dns.datagrams();
  toTwo.forward!((answer) => {
    assert.deepEqual(gist(answer).answers, ["10.96.0.2"]);
    toldByTwo++;
  });
  for (let step = 1; step <= 33; step++) {
    toTwo.send(query("web.bakery.two"));
    assert.deepEqual(await laptop.ask("example.com"), ["192.0.2.1"]);
    await laptop.settle();
    assert.equal(toldByTwo, step);
    clock.advance(300);
    await laptop.settle();
  }
  assert.equal(failed, many - waiting);
  assert.ok(laptop.lookups > 1000, `${laptop.lookups} lookups`);
  clock.advance(100);
  await laptop.settle();
  assert.equal(failed, many);
  assert.equal(dns.stats().inFlight, 0);
});

Deno.test("Dns has no more lookups of a silent cluster under way than its bound, however long it is asked", async () => {
  await using laptop = await open({ isAway: false });
  const { clock, dns } = laptop;
  const flow = dns.datagrams();
  flow.forward!(() => {});
  for (let ms = 0; ms < 6_000; ms += 300) {
    for (let i = 0; i < 400; i++) flow.send(query(`${ms}-${i}.bakery.one`));
    await laptop.settle();
    clock.advance(300);
  }
  assert.equal(laptop.lookups, 2048);
  // Nobody waits who was sent to TCP.
  assert.ok(dns.stats().inFlight <= 3 * 400, `${dns.stats().inFlight}`);
});

Deno.test("Dns sends to TCP in time whoever has waited for his turn and then for the answer", async () => {
  await using laptop = await open({ isAway: false });
  const { clock, dns } = laptop;
  const flow = dns.datagrams();
  let cut = 0;
  flow.forward!((answer) => {
    if (decode(answer).flag_tc) cut++;
  });
  for (let i = 0; i < 150; i++) flow.send(query(`absent-${i}.bakery.one`));
  await laptop.settle();
  assert.ok(laptop.lookups < 150, `${laptop.lookups} lookups`);
  clock.advance(300);
  await laptop.settle();
  assert.equal(laptop.lookups, 150);
  clock.advance(399);
  await laptop.settle();
  assert.equal(cut, 0);
  clock.advance(1);
  await laptop.settle();
  assert.equal(cut, 150);
});

Deno.test("Dns lets no name wait for the turn of a cluster that is away where another knows it", async () => {
  await using laptop = await open({ isAway: true });
  const { clock, dns } = laptop;
  const flow = dns.datagrams();
  for (let i = 0; i < 1000; i++) flow.send(query(`absent-${i}.bakery.one`));
  await laptop.settle();
  const asking = laptop.ask("web.bakery");
  clock.advance(300);
  await laptop.settle();
  // Whoever has no answer yet is sent to TCP.
  clock.advance(400);
  assert.deepEqual(await asking, ["10.96.0.2"]);
  // Nobody waits for a turn any more.
  const before = laptop.lookups;
  clock.advance(300);
  await laptop.settle();
  assert.equal(laptop.lookups, before);
});
