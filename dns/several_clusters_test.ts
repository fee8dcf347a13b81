/** What apps are told of the names of several clusters. */
import assert from "node:assert/strict";
// @ts-types="@types/dns-packet"
import type packet from "dns-packet";
import { FakeClock } from "../net/clock_fake.ts";
import type { DnsCluster } from "./dns_cluster.ts";
import { startDns } from "./dns.ts";
import {
  address,
  decode,
  gist,
  noSuchName,
  query,
  receive,
  respond,
  zones,
} from "./message_fake.ts";

const ttl = 30;
const domain = "svc.cluster.local";

/** What a cluster knows, by name: an address, or records by their type. */
type Known = Record<string, string | packet.Answer[]>;

function cluster(name: string, known: Known) {
  const asked: string[] = [];
  const given: DnsCluster = {
    name,
    zones: () => zones,
    lookup: (question) => {
      const { name } = decode(question).questions![0]!;
      asked.push(name);
      const found = known[name];
      return Promise.resolve(
        found === undefined
          ? noSuchName(question)
          : typeof found === "string"
          ? address(question, found)
          : respond(question, { answers: found }),
      );
    },
  };
  return { given, asked };
}

function start(given: DnsCluster[], clock = new FakeClock()) {
  let clusters: readonly DnsCluster[] = given;
  const dns = startDns({
    ...{ clusters: () => clusters, clock, nameservers: () => [] },
  });
  return {
    ...{ dns, clock },
    setClusters(...now: DnsCluster[]) {
      clusters = now;
    },
    async ask(name: string, type: packet.RecordType = "A") {
      const flow = dns.datagrams();
      flow.send(query(name, { type }));
      return told(await receive(flow));
    },
    [Symbol.asyncDispose]: () => dns.stop(),
  };
}

function told(message: Uint8Array): string[] {
  const { answers } = decode(message);
  const { code } = gist(message);
  if (code !== 0) return [`code ${code}`];
  return answers!.map((record) => {
    const { name, type, data } = record as packet.StringAnswer;
    const { target } = data as unknown as packet.SrvData;
    return `${name} ${type} ${target ?? data}`;
  });
}

const known: Known = {
  [`alias.bakery.${domain}`]: [
    {
      ...{ type: "CNAME", name: `alias.bakery.${domain}`, ttl },
      data: `web.bakery.${domain}`,
    },
    { type: "A", name: `web.bakery.${domain}`, data: "10.96.0.7", ttl },
  ],
  [`_http._tcp.web.bakery.${domain}`]: [{
    ...{ type: "SRV", name: `_http._tcp.web.bakery.${domain}`, ttl },
    data: { port: 80, target: `web.bakery.${domain}` },
  }],
  "7.0.96.10.in-addr.arpa": [{
    ...{ type: "PTR", name: "7.0.96.10.in-addr.arpa", ttl },
    data: `web.bakery.${domain}`,
  }],
};

Deno.test("Dns asks the cluster that a name ends in, else the first that knows it", async () => {
  const one = cluster("one", { [`web.bakery.${domain}`]: "10.96.0.1" });
  const two = cluster("two", {
    [`web.bakery.${domain}`]: "10.96.0.2",
    [`cake.bakery.${domain}`]: "10.96.0.3",
  });
  await using laptop = start([one.given, two.given]);
  assert.deepEqual(await laptop.ask("web.bakery"), ["web.bakery A 10.96.0.1"]);
  assert.deepEqual(two.asked, []);
  assert.deepEqual(await laptop.ask("web.bakery.two"), [
    "web.bakery.two A 10.96.0.2",
  ]);
  assert.deepEqual(await laptop.ask("web.two"), ["web.two A 10.96.0.2"]);
  assert.deepEqual(await laptop.ask("cake.bakery"), [
    "cake.bakery A 10.96.0.3",
  ]);
  assert.deepEqual(await laptop.ask("cake.bakery.one"), ["code 3"]);
  assert.deepEqual(await laptop.ask("none.bakery.svc"), ["code 3"]);
  assert.equal(laptop.dns.stats().cacheHits, 2);
});

Deno.test("Dns tells names so that they lead to the cluster that they are of", async () => {
  const one = cluster("one", { [`web.bakery.${domain}`]: "10.96.0.1" });
  const two = cluster("two", known);
  await using laptop = start([one.given, two.given]);
  assert.deepEqual(await laptop.ask("alias.bakery.two"), [
    `alias.bakery.two CNAME web.bakery.${domain}.two`,
    `web.bakery.${domain}.two A 10.96.0.7`,
  ]);
  assert.deepEqual(await laptop.ask("alias.bakery"), [
    `alias.bakery CNAME web.bakery.${domain}.two`,
    `web.bakery.${domain}.two A 10.96.0.7`,
  ]);
  assert.deepEqual(await laptop.ask("_http._tcp.web.two", "SRV"), ["code 3"]);
  assert.deepEqual(await laptop.ask("_http._tcp.web.bakery.two", "SRV"), [
    `_http._tcp.web.bakery.two SRV web.bakery.${domain}.two`,
  ]);
});

Deno.test("Dns tells names of a single cluster as that has them", async () => {
  await using laptop = start([cluster("one", known).given]);
  assert.deepEqual(await laptop.ask("alias.bakery"), [
    `alias.bakery CNAME web.bakery.${domain}`,
    `web.bakery.${domain} A 10.96.0.7`,
  ]);
});

Deno.test("Dns waits for nobody who is away where another knows the name, and fails what only he may know", async () => {
  const away = {
    ...cluster("one", {}).given,
    lookup: () => new Promise<Uint8Array>(() => {}),
    isAway: () => true,
  };
  const two = cluster("two", { [`web.bakery.${domain}`]: "10.96.0.2" });
  await using laptop = start([away, two.given]);
  const asking = laptop.ask("web.bakery");
  laptop.clock.advance(299);
  assert.equal(two.asked.length, 0);
  laptop.clock.advance(1);
  assert.deepEqual(await asking, ["web.bakery A 10.96.0.2"]);
  const failing = laptop.ask("printer");
  laptop.clock.advance(300);
  while (!two.asked.includes(`printer.bakery.${domain}`)) await tick();
  await tick();
  laptop.clock.advance(9_700);
  assert.deepEqual(await failing, ["code 2"]);
});

Deno.test("Dns waits for a cluster that is there, though another may know the name", async () => {
  const held = Promise.withResolvers<void>();
  const one = cluster("one", { [`web.bakery.${domain}`]: "10.96.0.1" }).given;
  const slow: DnsCluster = {
    ...one,
    isAway: () => false,
    lookup: (...args) => held.promise.then(() => one.lookup(...args)),
  };
  const two = cluster("two", { [`web.bakery.${domain}`]: "10.96.0.2" });
  await using laptop = start([slow, two.given]);
  const asking = laptop.ask("web.bakery");
  laptop.clock.advance(600);
  held.resolve();
  assert.deepEqual(await asking, ["web.bakery A 10.96.0.1"]);
  assert.deepEqual(two.asked, []);
});

Deno.test("Dns gives up what it asks a cluster that is no more, and counts on", async () => {
  const signals: AbortSignal[] = [];
  const one = cluster("one", { [`web.bakery.${domain}`]: "10.96.0.1" });
  const silent: DnsCluster = {
    ...cluster("two", {}).given,
    lookup: (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  };
  await using laptop = start([one.given, silent]);
  await laptop.ask("web.bakery");
  await laptop.ask("web.bakery");
  const asking = laptop.ask("web.two");
  laptop.setClusters(one.given);
  assert.deepEqual(await laptop.ask("web.bakery"), ["web.bakery A 10.96.0.1"]);
  assert.ok(signals[0]!.aborted);
  assert.deepEqual(await asking, ["code 2"]);
  assert.deepEqual(await laptop.ask("web.bakery.two"), ["code 2"]);
  laptop.setClusters();
  const { cacheHits, cacheEntries } = laptop.dns.stats();
  assert.deepEqual({ cacheHits, cacheEntries }, {
    cacheHits: 2,
    cacheEntries: 0,
  });
});

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
