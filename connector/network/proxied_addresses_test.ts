import assert from "node:assert/strict";
import { Fqdn } from "../../dns/mod.ts";
import { setLogSink } from "../../log.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { Ip } from "../../net/mod.ts";
import { ProxiedAddresses } from "./proxied_addresses.ts";
import { parseProxyWishes } from "./proxy_wishes.ts";

setLogSink(() => {});

const db = Fqdn.parse("db.example");

/** Names whose addresses the test sets. */
function setUp({ onChange = () => Promise.resolve() } = {}) {
  const names = new Map<string, string[]>();
  const inUse = new Set<string>();
  const clock = new FakeClock();
  let changes = 0;
  const proxied = new ProxiedAddresses({
    wishes: parseProxyWishes({
      alsoProxy: ["203.0.113.0/24", "db.example"],
      neverProxy: ["10.96.0.7", "printer.example"],
    }),
    addressesOf: (name) =>
      Promise.resolve((names.get(name) ?? []).map(Ip.parse)),
    isInUse: (ip) => inUse.has(String(ip)),
    onChange: () => {
      changes++;
      return onChange();
    },
    clock,
  });
  /** Lets time pass, look by look. */
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 2_000) {
      clock.advance(2_000);
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  const also = () => proxied.also.map(String);
  return { names, inUse, clock, proxied, pass, also, changes: () => changes };
}

Deno.test("ProxiedAddresses follows the addresses of names", async () => {
  const { names, proxied, pass, also, changes } = setUp();
  using _ = proxied;
  names.set("db.example.", ["198.51.100.7", "2001:db8::7"]);
  await proxied.start();
  assert.deepEqual(also(), [
    ...["203.0.113.0/24", "198.51.100.7/32", "2001:db8::7/128"],
  ]);
  assert.deepEqual(proxied.never.map(String), ["10.96.0.7/32"]);
  assert.deepEqual(proxied.followed, [
    {
      name: "db.example",
      proxied: "also",
      addresses: ["198.51.100.7", "2001:db8::7"],
    },
    { name: "printer.example", proxied: "never", addresses: [] },
  ]);
  assert.equal(changes(), 1);
  names.set("printer.example.", ["10.96.0.8"]);
  await pass(2_000);
  assert.deepEqual(proxied.never.map(String), ["10.96.0.7/32", "10.96.0.8/32"]);
  assert.equal(changes(), 2);
  await pass(20_000);
  assert.equal(changes(), 2, "nothing has changed");
});

Deno.test("ProxiedAddresses keeps an address for a while that its name has no longer, and while it is in use", async () => {
  const { names, inUse, proxied, pass, also } = setUp();
  using _ = proxied;
  names.set("db.example.", ["198.51.100.7"]);
  await proxied.start();
  inUse.add("198.51.100.7");
  names.set("db.example.", ["198.51.100.8"]);
  await pass(290_000);
  assert.deepEqual(also().slice(1), ["198.51.100.7/32", "198.51.100.8/32"]);
  await pass(600_000);
  assert.ok(also().includes("198.51.100.7/32"));
  inUse.clear();
  await pass(2_000);
  assert.deepEqual(also().slice(1), ["198.51.100.8/32"]);
  names.delete("db.example.");
  await pass(290_000);
  assert.deepEqual(also().slice(1), ["198.51.100.8/32"], "nobody knows it now");
});

Deno.test("ProxiedAddresses lets an app hear of an address once it is reached, but not wait for long", async () => {
  const routed = Promise.withResolvers<void>();
  const { clock, proxied, also } = setUp({ onChange: () => routed.promise });
  using _ = proxied;
  let isTold = false;
  const first = proxied.hear(db, [Ip.parse("198.51.100.7")])
    .then(() => isTold = true);
  assert.ok(also().includes("198.51.100.7/32"));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isTold, false);
  clock.advance(500);
  await first;
  const second = proxied.hear(db, [Ip.parse("198.51.100.8")]);
  routed.resolve();
  await second;
  assert.equal(clock.waiting, 0);
});

Deno.test("ProxiedAddresses counts the addresses of a name that were seen last, in bounded number", async () => {
  const { proxied } = setUp();
  using _ = proxied;
  for (let last = 0; last < 200; last++) {
    await proxied.hear(db, [Ip.parse(`198.51.100.${last}`)]);
  }
  const addresses = proxied.followed[0]!.addresses;
  assert.equal(addresses.length, 64);
  assert.equal(addresses.at(-1), "198.51.100.199");
});
