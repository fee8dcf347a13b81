import assert from "node:assert/strict";
import { setLogSink } from "../../log.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { Ip } from "../../net/mod.ts";
import { CarrierHosts } from "./carrier_hosts.ts";

setLogSink(() => {});

/** An API server and a proxy whose names lead where the test says. */
function setUp(server = "https://api.example:6443") {
  const names = new Map<string, string[]>();
  const asked: string[] = [];
  const clock = new FakeClock();
  let changes = 0;
  const hosts = new CarrierHosts({
    access: {
      server: new URL(server),
      proxy: new URL("http://proxy.example:3128"),
    },
    onChange: () => changes++,
    lookUp: (host) => {
      asked.push(host);
      const literal = Ip.tryParse(host);
      const found = (names.get(host) ?? []).map((text) => Ip.parse(text));
      return Promise.resolve(literal ? [literal] : found);
    },
    clock,
  });
  /** Lets time pass, look by look. */
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 5_000) {
      clock.advance(5_000);
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  const addresses = () => hosts.addresses.map(String);
  return {
    names,
    asked,
    clock,
    hosts,
    pass,
    addresses,
    changes: () => changes,
  };
}

Deno.test("CarrierHosts has what the names of API server and proxy had last while they do not resolve", async () => {
  const { names, hosts, pass, addresses, changes } = setUp();
  using _ = hosts;
  names.set("api.example", ["203.0.113.7", "2001:db8::7"]);
  names.set("proxy.example", ["192.0.2.9"]);
  await hosts.start();
  const all = ["203.0.113.7", "2001:db8::7", "192.0.2.9"];
  assert.deepEqual(addresses(), all);
  names.clear();
  await hosts.look();
  await pass(1_200_000);
  assert.deepEqual(addresses(), all);
  assert.equal(changes(), 0);
});

Deno.test("CarrierHosts follows names whose addresses change, and keeps the former ones for a while", async () => {
  const { names, hosts, pass, addresses, changes } = setUp();
  using _ = hosts;
  await hosts.start();
  assert.deepEqual(addresses(), []);
  names.set("api.example", ["203.0.113.7"]);
  await pass(5_000);
  assert.deepEqual(addresses(), ["203.0.113.7"]);
  assert.equal(changes(), 1);
  names.set("api.example", ["203.0.113.8"]);
  await hosts.look();
  assert.deepEqual(addresses(), ["203.0.113.7", "203.0.113.8"]);
  assert.equal(changes(), 2);
  await pass(310_000);
  assert.deepEqual(addresses(), ["203.0.113.8"]);
  assert.equal(changes(), 3);
});

Deno.test("CarrierHosts looks for an address once, and no more when it is disposed of", async () => {
  const clock = new FakeClock();
  const only = new CarrierHosts({
    access: { server: new URL("https://[2001:db8::1]:6443") },
    onChange: () => {},
    clock,
  });
  await only.start();
  assert.deepEqual(only.addresses.map(String), ["2001:db8::1"]);
  assert.equal(clock.waiting, 0);
  const { hosts, asked, pass, clock: other } = setUp("https://192.0.2.1:6443");
  await hosts.start();
  hosts[Symbol.dispose]();
  const before = asked.length;
  await pass(20_000);
  assert.equal(asked.length, before);
  assert.equal(other.waiting, 0);
});

/** One API server, whose looks the test answers one by one. */
function setUpAsked(access: { proxy?: URL } = {}) {
  const asked: { host: string; answer: (...ips: string[]) => void }[] = [];
  const clock = new FakeClock();
  const changes: string[][] = [];
  const hosts: CarrierHosts = new CarrierHosts({
    access: { server: new URL("https://api.example:6443"), ...access },
    onChange: () => changes.push(hosts.addresses.map(String)),
    lookUp: (host) => {
      const { promise, resolve } = Promise.withResolvers<Ip[]>();
      const answer = (...ips: string[]) =>
        resolve(ips.map((text) => Ip.parse(text)));
      asked.push({ host, answer });
      return promise;
    },
    clock,
  });
  return { asked, clock, changes, hosts };
}

Deno.test("CarrierHosts looks anew when the network has changed, and a look of before that answers later counts no more", async () => {
  const { asked, clock, changes, hosts } = setUpAsked();
  using _ = hosts;
  const started = hosts.start();
  asked[0]!.answer("203.0.113.7");
  await started;
  clock.advance(5_000);
  assert.equal(asked.length, 2, "this one hangs");
  const looked = hosts.look();
  assert.equal(asked.length, 3);
  asked[2]!.answer("203.0.113.8");
  await looked;
  assert.deepEqual(changes, [["203.0.113.7", "203.0.113.8"]]);
  asked[1]!.answer("203.0.113.9");
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(changes.length, 1);
  assert.deepEqual(hosts.addresses.map(String), changes[0]);
});

Deno.test("CarrierHosts goes on to look every 5 s, one after the other, though a look of before the network changed hangs", async () => {
  const { asked, clock, changes, hosts } = setUpAsked();
  using _ = hosts;
  const started = hosts.start();
  asked[0]!.answer();
  await started;
  clock.advance(5_000);
  const looked = hosts.look();
  asked[2]!.answer();
  await looked;
  clock.advance(5_000);
  assert.equal(asked.length, 4);
  asked[1]!.answer("203.0.113.7");
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(changes, [["203.0.113.7"]], "nobody knew better");
  clock.advance(60_000);
  assert.equal(asked.length, 4);
  assert.equal(clock.waiting, 0);
});

Deno.test("CarrierHosts tells what one name has while another does not answer", async () => {
  const proxy = new URL("http://proxy.example:3128");
  const { asked, changes, hosts } = setUpAsked({ proxy });
  using _ = hosts;
  const looked = hosts.look();
  assert.deepEqual(asked.map(({ host }) => host), [
    "api.example",
    "proxy.example",
  ]);
  asked[0]!.answer("203.0.113.7");
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(changes, [["203.0.113.7"]]);
  asked[1]!.answer();
  await looked;
  assert.equal(changes.length, 1);
});
