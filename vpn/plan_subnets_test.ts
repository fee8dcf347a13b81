import assert from "node:assert/strict";
import { Ip, Subnet } from "../net/mod.ts";
import {
  type HostRoute,
  parseRoutesV4,
  parseRoutesV6,
} from "./host_routes_linux.ts";
import { pickTunSubnet, planSubnets } from "./plan_subnets.ts";

function route(subnet: string, device: string, gateway?: string): HostRoute {
  return {
    subnet: Subnet.parse(subnet),
    device,
    metric: 0,
    ...gateway ? { gateway: Ip.parse(gateway) } : {},
  };
}

const home = [
  route("0.0.0.0/0", "eth0", "192.168.1.1"),
  route("192.168.1.0/24", "eth0"),
];

const plans: {
  world: string;
  hostRoutes: HostRoute[];
  wanted: string[];
  holes?: string[];
  routes: string[];
  skipped: string[];
}[] = [
  {
    world: "nothing in common",
    hostRoutes: home,
    wanted: ["10.96.0.0/16", "10.244.0.0/24"],
    routes: ["10.96.0.0/16", "10.244.0.0/24"],
    skipped: [],
  },
  {
    world: "the API server inside a pod subnet",
    hostRoutes: home,
    wanted: ["10.0.0.0/30"],
    holes: ["10.0.0.1/32"],
    routes: ["10.0.0.0/32", "10.0.0.2/31"],
    skipped: ["10.0.0.1/32"],
  },
  {
    world: "the home network inside a service subnet",
    hostRoutes: home,
    wanted: ["192.168.0.0/23"],
    routes: ["192.168.0.0/24"],
    skipped: ["192.168.1.0/24"],
  },
  {
    world: "the cluster inside the home network",
    hostRoutes: home,
    wanted: ["192.168.1.128/25"],
    routes: [],
    skipped: ["192.168.1.128/25"],
  },
  {
    world: "a VPN that routes the same subnet",
    hostRoutes: [...home, route("10.96.0.0/16", "wg0", "10.8.0.1")],
    wanted: ["10.96.0.0/16"],
    routes: [],
    skipped: ["10.96.0.0/16"],
  },
  {
    world: "a VPN that routes all of 10/8 through a gateway",
    hostRoutes: [...home, route("10.0.0.0/8", "wg0", "10.8.0.1")],
    wanted: ["10.96.0.0/16"],
    routes: ["10.96.0.0/16"],
    skipped: [],
  },
];

for (const { world, hostRoutes, wanted, holes, routes, skipped } of plans) {
  Deno.test(`planSubnets() with ${world}`, () => {
    const plan = planSubnets({
      wanted: wanted.map(Subnet.parse),
      hostRoutes,
      holes: (holes ?? []).map(Subnet.parse),
    });
    assert.deepEqual(plan.routes.map(String), routes);
    assert.deepEqual(plan.skipped.map(({ subnet }) => String(subnet)), skipped);
  });
}

Deno.test("pickTunSubnet() takes the first subnet that no route overlaps", () => {
  assert.equal(String(pickTunSubnet(home, 4)), "198.18.0.0/29");
  const taken = [...home, route("198.18.0.0/24", "tun0")];
  assert.equal(String(pickTunSubnet(taken, 4)), "198.18.1.0/29");
  assert.equal(pickTunSubnet(home, 6).prefix, 64);
  const all = [route("198.16.0.0/12", "tun0")];
  assert.throws(() => pickTunSubnet(all, 4), RangeError);
});

Deno.test("parseRoutesV4() reads subnets, gateways and metrics", () => {
  const text =
    `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
*	00000B0A	00000000	0201	0	0	0	00FFFFFF	0	0	0
`;
  assert.deepEqual(
    parseRoutesV4(text).map(({ subnet, device, gateway, metric }) =>
      `${subnet} ${device} ${gateway ?? "-"} ${metric}`
    ),
    ["0.0.0.0/0 eth0 192.0.2.1 100", "192.0.2.0/24 eth0 - 0"],
  );
});

Deno.test("parseRoutesV6() leaves out the host's own addresses and rejections", () => {
  const zero = "0".repeat(32);
  const text =
    `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
fd000000000000000000000000000002 80 ${zero} 00 ${zero} 00000000 00000002 00000000 80200001     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;
  assert.deepEqual(
    parseRoutesV6(text).map(({ subnet, device }) => `${subnet} ${device}`),
    ["fd00::/64 eth0"],
  );
});
