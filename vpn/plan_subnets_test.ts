import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip, Subnet } from "../net/mod.ts";
import type { HostRoute } from "./host_route.ts";
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
  claims?: string[];
  families?: (4 | 6)[];
  allowed?: string[];
  vnat?: string[];
  never?: string[];
  routes: string[];
  virtual?: string[];
  unreachable?: string[];
  skipped?: string[];
}[] = [
  {
    world: "nothing in common",
    wanted: ["10.96.0.0/16", "10.244.0.0/24", "fd00:96::/112"],
    routes: ["10.96.0.0/16", "10.244.0.0/24", "fd00:96::/112"],
  },
  {
    world: "an address that is never proxied",
    wanted: ["10.96.0.0/30", "10.244.0.0/24"],
    never: ["10.96.0.1/32"],
    routes: ["10.96.0.0/32", "10.96.0.2/31", "10.244.0.0/24"],
  },
  {
    world: "wider than the cluster what is never proxied",
    wanted: ["10.96.0.0/16", "10.244.0.0/24"],
    never: ["10.0.0.0/8", "10.244.0.0/24"],
    routes: ["10.96.0.0/16"],
  },
  {
    world: "also and never by turns, each in the one before",
    wanted: ["10.0.0.0/8", "10.1.1.0/31"],
    never: ["10.0.0.0/9", "10.1.0.0/16", "10.1.1.1/32"],
    routes: ["10.1.1.0/32", "10.128.0.0/9"],
  },
  {
    world: "the home network in what is never proxied",
    wanted: ["192.168.0.0/16", "10.244.0.0/24"],
    never: ["192.168.1.0/24"],
    routes: [
      ...["10.244.0.0/24", "192.168.0.0/24", "192.168.2.0/23"],
      ...["192.168.4.0/22", "192.168.8.0/21", "192.168.16.0/20"],
      ...["192.168.32.0/19", "192.168.64.0/18", "192.168.128.0/17"],
    ],
  },
  {
    world: "nothing virtual of what is never proxied",
    wanted: ["10.96.0.0/30"],
    vnat: ["10.96.0.0/30"],
    never: ["10.96.0.0/31"],
    routes: [],
    virtual: ["10.96.0.2/31"],
  },
  {
    world: "the API server and a nameserver inside what is also proxied",
    wanted: ["203.0.113.0/29"],
    claims: ["203.0.113.1/32", "203.0.113.6/32"],
    routes: [
      ...["203.0.113.0/32", "203.0.113.2/31", "203.0.113.4/31"],
      "203.0.113.7/32",
    ],
    virtual: ["203.0.113.1/32", "203.0.113.6/32"],
  },
  {
    world: "the API server inside a pod subnet",
    wanted: ["10.0.0.0/30"],
    claims: ["10.0.0.1/32"],
    routes: ["10.0.0.0/32", "10.0.0.2/31"],
    virtual: ["10.0.0.1/32"],
  },
  {
    world: "the home network inside a service subnet",
    wanted: ["192.168.0.0/23"],
    routes: ["192.168.0.0/24"],
    virtual: ["192.168.1.0/24"],
  },
  {
    world: "the cluster inside the home network",
    wanted: ["192.168.1.128/25"],
    routes: [],
    virtual: ["192.168.1.128/25"],
  },
  {
    world: "a bridge on the very service subnet, in both families",
    hostRoutes: [
      ...home,
      link("10.96.0.0/16", "docker0"),
      link("fd00:96::/112", "docker0"),
    ],
    wanted: ["10.96.0.0/16", "fd00:96::/112"],
    routes: [],
    virtual: ["10.96.0.0/16", "fd00:96::/112"],
  },
  {
    world: "tunnels that route the same subnet and a part of another",
    hostRoutes: [
      ...home,
      tunnel("10.96.0.0/16", "wg0"),
      tunnel("10.244.1.0/24", "wg0"),
    ],
    wanted: ["10.96.0.0/16", "10.244.0.0/23"],
    routes: ["10.244.0.0/24"],
    virtual: ["10.96.0.0/16", "10.244.1.0/24"],
  },
  {
    world: "a gateway and a tunnel that route wider subnets",
    hostRoutes: [
      ...home,
      via("10.0.0.0/8", "192.168.1.2", "eth0"),
      tunnel("172.16.0.0/12", "wg0"),
    ],
    wanted: ["10.96.0.0/16", "172.20.0.0/16", "100.64.0.0/16"],
    routes: ["100.64.0.0/16"],
    virtual: ["10.96.0.0/16", "172.20.0.0/16"],
  },
  {
    world: "a tunnel for everything, whole and in pieces",
    hostRoutes: [
      ...home,
      tunnel("0.0.0.0/0", "tun0"),
      tunnel("0.0.0.0/1", "tun0"),
      tunnel("8.0.0.0/5", "tun0"),
      tunnel("2000::/3", "tun0"),
    ],
    wanted: ["10.96.0.0/16", "2001:db8::/64"],
    routes: ["10.96.0.0/16", "2001:db8::/64"],
  },
  {
    world: "a tunnel whose subnets the cluster may have",
    hostRoutes: [
      ...home,
      tunnel("10.96.0.0/16", "wg0"),
      tunnel("10.244.1.0/24", "wg0"),
      tunnel("10.244.2.7/32", "wg0"),
      tunnel("172.16.0.0/12", "wg0"),
    ],
    wanted: ["10.96.0.0/16", "10.244.0.0/22", "172.20.0.0/16"],
    allowed: ["10.0.0.0/8", "172.20.0.0/17"],
    routes: [
      "10.96.0.0/17",
      "10.96.128.0/17",
      "10.244.0.0/23",
      "10.244.1.0/25",
      "10.244.1.128/25",
      ...["10.244.2.0/30", "10.244.2.4/31", "10.244.2.6/32", "10.244.2.8/29"],
      ...["10.244.2.16/28", "10.244.2.32/27", "10.244.2.64/26"],
      ...["10.244.2.128/25", "10.244.3.0/24"],
      "172.20.0.0/17",
    ],
    virtual: ["10.244.2.7/32", "172.20.128.0/17"],
  },
  {
    world: "a link and another table that the cluster may have, but cannot",
    hostRoutes: [
      ...home,
      link("10.96.0.0/16", "docker0"),
      { ...tunnel("10.97.0.0/16", "tailscale0"), table: 52 },
    ],
    wanted: ["10.96.0.0/15"],
    allowed: ["10.0.0.0/8"],
    routes: [],
    virtual: ["10.96.0.0/16", "10.97.0.0/16"],
  },
  {
    world: "virtual addresses asked for, of the cluster and beside it",
    wanted: ["10.96.0.0/16", "10.244.0.0/16"],
    vnat: ["10.96.0.0/16", "10.244.3.0/24", "172.30.0.0/24"],
    routes: [
      ...["10.244.0.0/23", "10.244.2.0/24", "10.244.4.0/22", "10.244.8.0/21"],
      ...["10.244.16.0/20", "10.244.32.0/19", "10.244.64.0/18"],
      "10.244.128.0/17",
    ],
    virtual: ["10.96.0.0/16", "10.244.3.0/24", "172.30.0.0/24"],
  },
  {
    world: "a cluster of two families on a host of one",
    families: [4],
    wanted: ["10.96.0.0/16", "fd00:96::/112"],
    routes: ["10.96.0.0/16"],
    unreachable: ["fd00:96::/112"],
  },
  {
    world: "default routes wanted",
    wanted: ["0.0.0.0/0", "::/0"],
    vnat: ["0.0.0.0/0"],
    routes: [],
    skipped: ["0.0.0.0/0", "::/0", "0.0.0.0/0"],
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

const both = [4, 6] as const;

for (const { world, hostRoutes, ...given } of plans) {
  Deno.test(`planSubnets() with ${world}`, () => {
    const subnets = (list: string[] = []) => list.map(Subnet.parse);
    const plan = planSubnets({
      wanted: subnets(given.wanted),
      hostRoutes: hostRoutes ?? home,
      claims: subnets(given.claims)
        .map((subnet) => ({ subnet, reason: "the host has it" })),
      families: given.families ?? both,
      allowed: subnets(given.allowed),
      vnat: subnets(given.vnat),
      never: subnets(given.never),
    });
    const { routes, virtual, unreachable, skipped } = plan;
    const texts = (list: { subnet: Subnet }[]) =>
      list.map(({ subnet }) => String(subnet));
    assert.deepEqual(routes.map(String), given.routes);
    assert.deepEqual(texts(virtual), given.virtual ?? []);
    assert.deepEqual(texts(unreachable), given.unreachable ?? []);
    assert.deepEqual(texts(skipped), given.skipped ?? []);
    const reasoned = [...virtual, ...unreachable, ...skipped];
    assert.ok(reasoned.every(({ reason }) => reason.length > 5));
  });
}

/** Subnets of a space of 64 addresses, which can be looked at one by one. */
const small = fc.tuple(fc.nat(63), fc.integer({ min: 26, max: 32 })).map(
  ([last, prefix]) => new Subnet(Ip.parse(`10.9.8.${last}`), prefix),
);
const smalls = fc.array(small, { maxLength: 5 });
const routes = fc.array(
  fc.tuple(small, fc.boolean()).map(([subnet, onLink]): HostRoute => ({
    ...{ subnet, onLink },
    device: "eth0",
    metric: 0,
  })),
  { maxLength: 5 },
);

Deno.test("planSubnets() leaves each address to the host or the cluster, and the kernel agrees", () => {
  const worlds = fc.record({
    ...{ wanted: smalls, hostRoutes: routes, allowed: smalls, vnat: smalls },
    never: smalls,
    claims: smalls.map((all) =>
      all.map((subnet) => ({ subnet, reason: "the host has it" }))
    ),
  });
  fc.assert(
    fc.property(worlds, (world) => {
      const plan = planSubnets({ ...world, families: both });
      for (let last = 0; last < 64; last++) {
        const ip = Ip.parse(`10.9.8.${last}`);
        const isIn = (subnets: readonly Subnet[]) =>
          subnets.some((subnet) => subnet.contains(ip));
        const isOf = (list: readonly { subnet: Subnet }[]) =>
          isIn(list.map(({ subnet }) => subnet));
        const hosts = world.hostRoutes.filter(({ subnet }) =>
          subnet.contains(ip)
        );
        const isHosts = isOf(world.claims) ||
          hosts.some(({ onLink }) => onLink) ||
          hosts.length > 0 && !isIn(world.allowed);
        const longest = (subnets: readonly Subnet[]) =>
          Math.max(
            -1,
            ...subnets.filter((one) => one.contains(ip)).map((one) =>
              one.prefix
            ),
          );
        const never = longest(world.never);
        const wanted = longest(world.wanted) > never;
        const vnat = longest(world.vnat) > never;
        const routed = isIn(plan.routes);
        const virtual = isOf(plan.virtual);
        assert.equal(routed || virtual, wanted || vnat, `${ip}`);
        assert.ok(!(routed && virtual), `${ip} is both`);
        if (isHosts || vnat) {
          assert.ok(!routed, `${ip}: the host's`);
        }
        const theirs = longest(world.hostRoutes.map(({ subnet }) => subnet));
        if (routed) assert.ok(longest(plan.routes) > theirs, `${ip}: masked`);
      }
    }),
    { numRuns: 500 },
  );
});

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
