import assert from "node:assert/strict";
import { Ip, Subnet } from "../../net/mod.ts";
import type { RoutedMember } from "./routes.ts";
import { cluster, Laptop, link } from "./routes_fake.ts";

Deno.test("RouteKeeper routes what nobody else has", async () => {
  const laptop = new Laptop();
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 10.96.0.0/16",
    "add 10.244.0.0/24",
    "add fd00:96::/112",
  ]);
  assert.deepEqual(laptop.routed.virtual, []);
  assert.equal(laptop.told("10.96.0.10"), "10.96.0.10");
  assert.equal(laptop.dialled("10.96.0.10"), "10.96.0.10");
});

Deno.test("RouteKeeper sets no route that the host has, but one for virtual addresses", async () => {
  const laptop = new Laptop();
  laptop.hostRoutes = [link("10.96.0.0/16"), link("fd00:96::/112")];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 10.244.0.0/24",
    "add 198.19.0.0/16",
    "add fd74:705f:6b3e:8000::/112",
  ]);
  assert.equal(laptop.told("10.96.0.10"), "198.19.0.10");
  assert.equal(laptop.told("fd00:96::a"), "fd74:705f:6b3e:8000::a");
  assert.equal(laptop.dialled("198.19.0.10"), "10.96.0.10");
  assert.throws(() => laptop.dialled("198.19.0.11"), {
    refusal: "unreachable",
  });
  assert.equal(laptop.told("10.244.0.10"), "10.244.0.10");
  const [{ subnet, reason }] = laptop.routed.virtual as [never];
  assert.deepEqual([String(subnet), reason], [
    "10.96.0.0/16",
    "the host is connected to it by docker0",
  ]);
  assert.deepEqual(laptop.routed.routes.map(String), ["10.244.0.0/24"]);
});

Deno.test("RouteKeeper gives way to a VPN that starts later, and comes back when it ends", async () => {
  const laptop = new Laptop();
  await laptop.keeper.follow();
  laptop.news();
  laptop.hostRoutes = [{ ...link("10.96.0.0/17", "tun0"), onLink: false }];
  await laptop.keeper.follow();
  assert.deepEqual(
    laptop.news(),
    [
      "add 10.96.128.0/17",
      "add 198.18.128.0/17",
      "delete 10.96.0.0/16",
    ].map((text) => text.replace("198.18.128.0/17", "198.19.0.0/16")),
  );
  const virtual = laptop.told("10.96.0.10");
  assert.equal(virtual, "198.19.0.10");
  assert.equal(laptop.told("10.96.200.1"), "10.96.200.1");
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), []);

  laptop.hostRoutes = [];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 10.96.0.0/16",
    "delete 10.96.128.0/17",
  ]);
  assert.equal(laptop.told("10.96.0.10"), "10.96.0.10");
  assert.equal(laptop.dialled(virtual), "10.96.0.10");
  assert.deepEqual(laptop.routed.virtual, []);
});

Deno.test("RouteKeeper takes another range when the host has a use for the first", async () => {
  const laptop = new Laptop({ vnat: ["10.244.0.0/24"] });
  await laptop.keeper.follow();
  const first = laptop.told("10.244.0.7");
  assert.equal(first, "198.18.2.7");
  laptop.news();
  laptop.hostRoutes = [link("198.18.0.0/15", "tun0")];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 246.246.0.0/23",
    "delete 198.18.2.0/23",
  ]);
  assert.equal(laptop.told("10.244.0.7"), "246.246.0.7");
  assert.equal(laptop.dialled(first), first);
});

Deno.test("RouteKeeper reaches by virtual addresses what the daemon does not route", async () => {
  const laptop = new Laptop();
  laptop.refused.add("add 10.244.0.0/24").add("add 198.18.2.0/23");
  await laptop.keeper.follow();
  assert.equal(laptop.told("10.244.0.7"), "198.18.4.7");
  const [{ subnet, reason }] = laptop.routed.virtual as [never];
  assert.equal(String(subnet), "10.244.0.0/24");
  assert.match(reason, /^Cannot add .* refused$/);
});

Deno.test("RouteKeeper tells no address that the laptop has no way to", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  await laptop.keeper.follow();
  assert.equal(laptop.told("fd00:96::a"), "unreachable");
  assert.equal(laptop.told("2001:db8::a"), "2001:db8::a");
  assert.deepEqual(
    laptop.routed.skipped.map(({ subnet, reason }) => `${subnet} ${reason}`),
    ["fd00:96::/112 this host has no IPv6"],
  );
  const taken = new Laptop();
  taken.hostRoutes = ["198.18.0.0/15", "246.0.0.0/8", "172.16.0.0/12"]
    .concat("10.0.0.0/8").map((subnet) => link(subnet));
  await taken.keeper.follow();
  assert.equal(taken.told("10.96.0.10"), "unreachable");
  assert.match(taken.routed.skipped[0]!.reason, /no range is free/);
});

Deno.test("RouteKeeper knows what leads to the cluster, by virtual addresses too", async () => {
  const laptop = new Laptop();
  laptop.hostRoutes = [link("10.96.0.0/16")];
  const leads = (ip: string) => laptop.keeper.leadToCluster(Ip.parse(ip));
  assert.equal(leads("10.244.0.7"), false);
  await laptop.keeper.follow();
  assert.ok(leads("10.244.0.7"));
  assert.ok(leads(laptop.told("10.96.0.7")));
  assert.equal(leads("10.96.0.7"), false, "it is the host's own");
  assert.equal(leads("127.0.0.1"), false);
});

Deno.test("RouteKeeper routes what is also proxied, and not what never is, as both change", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  laptop.proxied.also = [Subnet.parse("203.0.113.7/32")];
  laptop.proxied.never = [Subnet.parse("10.96.0.0/17")];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 10.96.128.0/17",
    "add 10.244.0.0/24",
    "add 203.0.113.7/32",
  ]);
  laptop.proxied.also = [Subnet.parse("203.0.113.8/32")];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), [
    "add 203.0.113.8/32",
    "delete 203.0.113.7/32",
  ]);
});

Deno.test("RouteKeeper leaves a cluster's subnet to the host that is never proxied as a whole, but for what is also proxied", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  laptop.proxied.never = [Subnet.parse("10.244.0.0/16")];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), ["add 10.96.0.0/16"]);
  laptop.proxied.also = [Subnet.parse("10.244.0.7/32")];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), ["add 10.244.0.7/32"]);
});

Deno.test("RouteKeeper leaves an address to the host that it has a use of its own for, also where it is proxied", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  laptop.hostRoutes = [link("203.0.113.0/24", "eth0")];
  laptop.proxied.also = [Subnet.parse("203.0.113.7/32")];
  laptop.proxied.never = [Subnet.parse("10.96.0.0/16")];
  await laptop.keeper.follow();
  assert.deepEqual(
    laptop.routed.virtual.map(({ subnet, reason }) => `${subnet} ${reason}`),
    ["203.0.113.7/32 the host is connected to it by eth0"],
  );
  assert.match(laptop.told("203.0.113.7"), /^(198\.1[89]|246)\./);
  assert.equal(laptop.told("10.96.0.10"), "10.96.0.10");
});

Deno.test("RouteKeeper leaves what two clusters have to the connection that was there first, and gives it to the other when that leaves", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  const [one] = laptop.members as [RoutedMember];
  const two = laptop.member("two", {
    ...cluster,
    podSubnets: ["10.244.0.0/24", "10.245.0.0/24"].map(Subnet.parse),
  });
  await laptop.keeper.follow();
  laptop.news();
  laptop.members = [one, two];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), ["add 10.245.0.0/24", "add 198.19.0.0/16"]);
  assert.deepEqual(
    laptop.keeper.of(two).virtual.map(({ subnet, reason }) =>
      `${subnet} ${reason}`
    ),
    ["10.96.0.0/16", "10.244.0.0/24"].map((subnet) =>
      `${subnet} connection "one" has it`
    ),
  );
  assert.deepEqual(laptop.keeper.of(one).virtual, []);
  const ip = Ip.parse("10.96.0.10");
  assert.equal(laptop.told("10.96.0.10"), "10.96.0.10");
  const virtual = two.addresses.toApp(ip) as Ip;
  assert.equal(String(virtual), "198.19.0.10");
  assert.equal(String(two.addresses.dialled(virtual)), "10.96.0.10");
  assert.throws(() => laptop.dialled("198.19.0.10"));
  assert.equal(laptop.keeper.owner(ip), one);
  assert.equal(laptop.keeper.owner(Ip.parse("10.245.0.9")), two);
  assert.equal(laptop.keeper.owner(virtual), undefined);

  laptop.members = [two];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), []);
  assert.equal(String(two.addresses.toApp(ip)), "10.96.0.10");
  assert.equal(laptop.keeper.owner(ip), two);
  assert.deepEqual(laptop.keeper.of(two).virtual, []);
  assert.deepEqual(laptop.keeper.of(one).routes, []);
});

Deno.test("RouteKeeper takes away the routes of a connection that leaves, and gives way to a VPN in all", async () => {
  const laptop = new Laptop({ hasIpv6: false });
  const two = laptop.member("two", {
    ...{ ...cluster, serviceSubnets: [] },
    podSubnets: [Subnet.parse("10.245.0.0/24")],
  });
  laptop.members = [...laptop.members, two];
  await laptop.keeper.follow();
  laptop.news();
  laptop.hostRoutes = [link("10.244.0.0/15", "tun0")];
  await laptop.keeper.follow();
  assert.equal(laptop.told("10.244.0.7"), "198.18.4.7");
  const other = two.addresses.toApp(Ip.parse("10.245.0.7")) as Ip;
  assert.equal(String(other), "198.18.4.8");
  assert.deepEqual(laptop.news().filter((one) => one.startsWith("delete")), [
    "delete 10.244.0.0/24",
    "delete 10.245.0.0/24",
  ]);
  laptop.members = laptop.members.slice(0, 1);
  laptop.hostRoutes = [];
  await laptop.keeper.follow();
  assert.deepEqual(laptop.news(), ["add 10.244.0.0/24"]);
});
