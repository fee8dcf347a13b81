import assert from "node:assert/strict";
import { Subnet } from "../../net/mod.ts";
import { Laptop, link } from "./routes_fake.ts";

Deno.test("RouteKeeper sets again what another program took away, of virtual addresses and to our DNS, too", async () => {
  const laptop = new Laptop();
  laptop.hostRoutes = [link("10.244.0.0/24")];
  await laptop.keeper.follow();
  const range = "198.18.2.0/23";
  assert.ok(laptop.tunRoutes.has(range));
  assert.equal(laptop.keeper.lacks(laptop.routes), false);
  laptop.news();
  const flushed = new Set(laptop.tunRoutes);
  laptop.takeAway(...flushed);
  assert.ok(laptop.keeper.lacks(laptop.routes));
  const virtual = laptop.told("10.244.0.7");
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 198.18.0.0/29",
    "add fd74:705f:6b3e::/64",
    "add 10.96.0.0/16",
    "add fd00:96::/112",
    `add ${range}`,
  ]);
  assert.deepEqual(laptop.tunRoutes, flushed);
  assert.equal(laptop.told("10.244.0.7"), virtual);
  assert.equal(laptop.keeper.lacks(laptop.routes), false);
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), []);
});

Deno.test("RouteKeeper sets nothing again that it has withdrawn, or that a VPN takes for itself", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  laptop.proxied.also = [Subnet.parse("203.0.113.7/32")];
  await laptop.keeper.follow();
  laptop.proxied.also = [];
  await laptop.keeper.follow();
  assert.equal(laptop.keeper.lacks(laptop.routes), false);
  laptop.news();
  laptop.takeAway("10.96.0.0/16", "10.244.0.0/24");
  laptop.hostRoutes = [{ ...link("10.96.0.0/16", "tun0"), onLink: false }];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 10.244.0.0/24",
    "add 198.19.0.0/16",
    "delete 10.96.0.0/16",
  ]);
  assert.equal(laptop.told("10.96.0.10"), "198.19.0.10");
});

Deno.test("RouteKeeper does not fight who takes routes away again and again, and follows all else meanwhile", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  await laptop.keeper.follow();
  laptop.news();
  let returns = 0;
  for (let second = 0; second < 30; second++) {
    laptop.tunRoutes.delete("10.96.0.0/16");
    await laptop.keeper.follow();
    returns += laptop.news().length;
    laptop.clock.advance(1_000);
  }
  assert.equal(returns, 5);
  assert.ok(laptop.keeper.lacks(laptop.routes));
  laptop.proxied.also = [Subnet.parse("203.0.113.7/32")];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), ["add 203.0.113.7/32"]);
  laptop.clock.advance(60_000);
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), ["add 10.96.0.0/16"]);
});

Deno.test("RouteKeeper keeps its plan while the device takes no routes, and sets them when it does", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  await laptop.keeper.follow();
  laptop.news();
  laptop.takeAway(...laptop.tunRoutes);
  laptop.refused.add("add 198.18.0.0/29");
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), ["add 198.18.0.0/29"]);
  assert.deepEqual(laptop.routed.virtual, []);
  assert.ok(laptop.keeper.lacks(laptop.routes));
  laptop.refused.clear();
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 198.18.0.0/29",
    "add 10.96.0.0/16",
    "add 10.244.0.0/24",
  ]);
});

Deno.test("RouteKeeper sets IPv4 again, as often as ever, where the host has turned IPv6 off", async () => {
  const laptop = new Laptop();
  await laptop.keeper.follow();
  laptop.refused.add("add fd74:705f:6b3e::/64");
  laptop.takeAway(...[...laptop.tunRoutes].filter((one) => one.includes(":")));
  for (let i = 0; i < 10; i++) await laptop.keeper.follow();
  for (let i = 0; i < 5; i++) {
    laptop.news();
    laptop.takeAway("10.96.0.0/16");
    await laptop.keeper.follow();
    assert.deepEqual(laptop.news(), ["add 10.96.0.0/16"]);
  }
  laptop.refused.clear();
  laptop.clock.advance(60_000);
  await laptop.keeper.follow();
  assert.equal(laptop.keeper.lacks(laptop.routes), false);
});
