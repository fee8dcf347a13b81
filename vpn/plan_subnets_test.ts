import assert from "node:assert/strict";
import { Ip, Subnet } from "../net/mod.ts";
import type { HostRoute } from "./host_routes_linux.ts";
import { pickTunSubnet } from "./pick_tun_subnet.ts";
import { planSubnets } from "./plan_subnets.ts";

function link(subnet: string, device: string): HostRoute {
  return { subnet: Subnet.parse(subnet), device, onLink: true, metric: 0 };
}

function tunnel(subnet: string, device: string): HostRoute {
  return { ...link(subnet, device), onLink: false };
}

function via(subnet: string, gateway: string, device: string): HostRoute {
  return { ...tunnel(subnet, device), gateway: Ip.parse(gateway) };
}

const home = [
  via("0.0.0.0/0", "192.168.1.1", "eth0"),
  link("192.168.1.0/24", "eth0"),
];

const plans: {
  world: string;
  hostRoutes?: HostRoute[];
  wanted: string[];
  holes?: string[];
  routes: string[];
  skipped?: string[];
}[] = [
  {
    world: "nothing in common",
    wanted: ["10.96.0.0/16", "10.244.0.0/24", "fd00:96::/112"],
    routes: ["10.96.0.0/16", "10.244.0.0/24", "fd00:96::/112"],
  },
  {
    world: "the API server inside a pod subnet",
    wanted: ["10.0.0.0/30"],
    holes: ["10.0.0.1/32"],
    routes: ["10.0.0.0/32", "10.0.0.2/31"],
    skipped: ["10.0.0.1/32"],
  },
  {
    world: "the home network inside a service subnet",
    wanted: ["192.168.0.0/23"],
    routes: ["192.168.0.0/24"],
    skipped: ["192.168.1.0/24"],
  },
  {
    world: "the cluster inside the home network",
    wanted: ["192.168.1.128/25"],
    routes: [],
    skipped: ["192.168.1.128/25"],
  },
  {
    world: "a tunnel that routes the same subnet",
    hostRoutes: [...home, tunnel("10.96.0.0/16", "wg0")],
    wanted: ["10.96.0.0/16"],
    routes: [],
    skipped: ["10.96.0.0/16"],
  },
  {
    world: "a gateway and a tunnel that route wider subnets",
    hostRoutes: [
      ...home,
      via("10.0.0.0/8", "192.168.1.2", "eth0"),
      tunnel("172.16.0.0/12", "wg0"),
    ],
    wanted: ["10.96.0.0/16", "172.20.0.0/16"],
    routes: ["10.96.0.0/16", "172.20.0.0/16"],
  },
  {
    world: "default routes wanted",
    wanted: ["0.0.0.0/0", "::/0"],
    routes: [],
    skipped: ["0.0.0.0/0", "::/0"],
  },
  {
    world: "loopback, link-local and multicast wanted",
    wanted: ["127.0.0.0/8", "169.254.169.254/32", "fe80::/64", "ff02::/16"],
    routes: [],
    skipped: ["127.0.0.0/8", "169.254.169.254/32", "fe80::/64", "ff02::/16"],
  },
  {
    world: "a subnet that is wanted twice, and a part of it",
    wanted: ["10.96.0.0/16", "10.96.0.0/16", "10.96.5.0/24"],
    routes: ["10.96.0.0/16"],
  },
];

for (const { world, hostRoutes, wanted, holes, routes, skipped } of plans) {
  Deno.test(`planSubnets() with ${world}`, () => {
    const plan = planSubnets({
      wanted: wanted.map(Subnet.parse),
      hostRoutes: hostRoutes ?? home,
      holes: (holes ?? []).map(Subnet.parse),
    });
    assert.deepEqual(plan.routes.map(String), routes);
    assert.deepEqual(
      plan.skipped.map(({ subnet }) => String(subnet)),
      skipped ?? [],
    );
    assert.ok(plan.skipped.every(({ reason }) => reason.length > 5));
  });
}

Deno.test("pickTunSubnet() takes the first subnet that no route overlaps", () => {
  const pick = (...routes: HostRoute[]) =>
    String(pickTunSubnet([...home, ...routes], 4));
  assert.equal(pick(), "198.18.0.0/29");
  assert.equal(pick(tunnel("198.18.0.0/24", "tun0")), "198.18.1.0/29");
  assert.equal(pick(link("198.18.0.9/32", "tun0")), "198.18.0.0/29");
  assert.equal(pick(tunnel("198.18.0.0/15", "tun0")), "172.31.252.0/29");
  assert.equal(pickTunSubnet(home, 6).prefix, 64);
});

Deno.test("pickTunSubnet() looks past a default route in two halves", () => {
  const halves = ["0.0.0.0/1", "128.0.0.0/1"].map((half) =>
    tunnel(half, "tun0")
  );
  assert.equal(String(pickTunSubnet(halves, 4)), "198.18.0.0/29");
});

Deno.test("pickTunSubnet() throws when the host routes every candidate", () => {
  const all = ["198.16.0.0/12", "172.16.0.0/12", "10.0.0.0/8"];
  const routes = all.map((subnet) => tunnel(subnet, "tun0"));
  assert.throws(() => pickTunSubnet(routes, 4), RangeError);
});
